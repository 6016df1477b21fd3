namespace CbaMail.Envelope;

/// <summary>
/// An ordinary refusal: one cause with the form that each protocol gives it. Refusals are returned, never thrown.
/// </summary>
/// <param name="SmtpCode">SMTP reply code (RFC 5321 4.2), for example 552.</param>
/// <param name="Status">Enhanced status code (RFC 3463), for example <c>5.2.2</c>.</param>
/// <param name="ImapCode">IMAP response code (RFC 5530) without brackets, or empty.</param>
/// <param name="HttpStatus">HTTP status of the API.</param>
/// <param name="Sentence">What is wrong and what to do, for people; one line, but for replies of filters, whose lines LF separates.</param>
public sealed record Refusal(int SmtpCode, string Status, string ImapCode, int HttpStatus, string Sentence)
{
    /// <summary>Whether trying again later may help (SMTP 4xx).</summary>
    public bool IsTemporary => SmtpCode < 500;

    /// <summary>What the sentence was made of, for catalogues in other languages; null where it is its own pattern.</summary>
    public Wording? Wording { get; init; }

    /// <summary>The field of a request that it is about, or null.</summary>
    public string? Field { get; init; }

    /// <summary>The same cause with another sentence.</summary>
    public Refusal Because(string sentence) => this with { Sentence = sentence, Wording = null };

    /// <summary>The same, of an interpolated string whose pattern is kept.</summary>
    public Refusal Because(ref SentenceBuilder sentence) => this with { Sentence = sentence.Text(out var wording), Wording = wording };

    /// <summary>The same refusal, about a field of the request.</summary>
    public Refusal At(string field) => this with { Field = field };

    /// <summary>The reply line of SMTP, without CRLF.</summary>
    public override string ToString() => $"{SmtpCode} {Status} {(Sentence.Contains('\n', StringComparison.Ordinal) ? Sentence.Replace('\n', ' ') : Sentence)}";

    // RFC 3463 3; RFC 5530 3
    public static readonly Refusal NoSuchUser = new(550, "5.1.1", "NONEXISTENT", 404, "No such mailbox here");
    public static readonly Refusal NoSuchDomain = new(550, "5.1.2", "NONEXISTENT", 404, "No such domain here");
    public static readonly Refusal BadAddress = new(553, "5.1.3", "CLIENTBUG", 400, "This is not a valid address");
    public static readonly Refusal NoSuchMailbox = new(550, "5.1.1", "NONEXISTENT", 404, "No such mailbox");
    public static readonly Refusal NoSuchThing = new(550, "5.1.1", "NONEXISTENT", 404, "Not found");
    public static readonly Refusal AlreadyExists = new(550, "5.5.0", "ALREADYEXISTS", 409, "This name is taken already");
    public static readonly Refusal NotPossible = new(550, "5.5.0", "CANNOT", 400, "This cannot be done");
    public static readonly Refusal Invalid = new(550, "5.5.4", "CLIENTBUG", 400, "This is not valid");
    public static readonly Refusal Conflict = new(450, "4.5.0", "INUSE", 409, "The state does not allow this now");
    public static readonly Refusal OverQuota = new(552, "5.2.2", "OVERQUOTA", 507, "The mailbox is full");
    public static readonly Refusal TooLarge = new(552, "5.3.4", "TOOBIG", 413, "The message is larger than this server accepts");
    public static readonly Refusal TooMany = new(452, "4.5.3", "LIMIT", 429, "Too many at once");
    public static readonly Refusal NoRelay = new(550, "5.7.1", "NOPERM", 403, "Relaying denied: sign in to send to other domains");
    public static readonly Refusal NotPermitted = new(550, "5.7.1", "NOPERM", 403, "Not permitted");
    public static readonly Refusal MayNotSendAs = new(550, "5.7.1", "NOPERM", 403, "This account may not send from that address");
    public static readonly Refusal SignInFailed = new(535, "5.7.8", "AUTHENTICATIONFAILED", 401, "The name or the password is wrong");
    public static readonly Refusal TlsRequired = new(530, "5.7.0", "PRIVACYREQUIRED", 403, "Start TLS first");
    public static readonly Refusal DiskFull = new(452, "4.3.1", "UNAVAILABLE", 507, "No space is left on the server; try again later");
    public static readonly Refusal Unavailable = new(451, "4.3.0", "UNAVAILABLE", 503, "The server cannot do this now; try again later");
    public static readonly Refusal LoopDetected = new(554, "5.4.6", "CANNOT", 400, "The message goes round in circles");
}
