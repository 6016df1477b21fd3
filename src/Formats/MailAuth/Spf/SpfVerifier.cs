using System.Net;
using CbaMail.Dns;
using CbaMail.Text;

namespace CbaMail.MailAuth.Spf;

/// <summary>Whose word was asked (RFC 7208 2.3, 2.4).</summary>
public enum SpfIdentity
{
    /// <summary>The host's own name: always where the reverse-path is empty.</summary>
    Helo,
    MailFrom,
}

/// <summary>A question to SPF (RFC 7208 4.1): may this host send in this name?</summary>
/// <param name="Client">Address of the SMTP client; IPv4-mapped IPv6 counts as IPv4.</param>
/// <param name="Helo">The latest EHLO or HELO name, as given.</param>
/// <param name="MailFrom">Reverse-path without brackets; empty asks for the HELO identity (RFC 7208 2.4). Internationalized domains may be U-labels (RFC 8616 4).</param>
public sealed record SpfQuery(IPAddress Client, string Helo, string MailFrom)
{
    /// <summary>%{r}: the name of the server that asks.</summary>
    public string Receiver { get; init; } = "unknown";

    /// <summary>%{t}: now.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>What a fail says where the domain explains nothing, or nothing that can be read (RFC 7208 6.2).</summary>
    public string DefaultExplanation { get; init; } = "";
}

/// <summary>The answer (RFC 7208 2.6).</summary>
/// <param name="Domain">The domain that was asked: what DMARC aligns; as A-labels, or as it was where it is no domain.</param>
public sealed record SpfResult(AuthResult Result, SpfIdentity Identity, string Domain)
{
    /// <summary>The directive of the domain's own record (or of the one it redirects to) that matched, without qualifier; null where none did.</summary>
    public string? Mechanism { get; init; }

    /// <summary>What is wrong, of temperror and permerror; fit for a log and for a header field.</summary>
    public string? Problem { get; init; }

    /// <summary>Of a fail alone: printable ASCII, the domain's or the default.</summary>
    public string Explanation { get; init; } = "";

    /// <summary>Whether the explanation is a stranger's text: say whose it is (RFC 7208 6.2, 8.4).</summary>
    public bool ExplainedByDomain { get; init; }

    /// <summary>Terms that asked DNS, of the 10 that are allowed (RFC 7208 4.6.4).</summary>
    public int Lookups { get; init; }
}

/// <summary>
/// SPF (RFC 7208): whether the owner of a domain lets a host send in its name. <see cref="SpfRecord"/> is the language,
/// <see cref="SpfEvaluation"/> what a record says of a client. Nothing here knows time or network: the caller's token ends what
/// takes too long (20 seconds are to be given, RFC 7208 4.6.4), and the answer is then temperror.
/// </summary>
public static class SpfVerifier
{
    /// <summary>RFC 7208 4.6.4: terms that ask DNS, in all records of an evaluation together.</summary>
    public const int MaxLookups = 10;

    /// <summary>RFC 7208 4.6.4: of those, terms that may find nothing.</summary>
    public const int MaxVoidLookups = 2;

    /// <summary>Never throws, but where the resolver has a fault.</summary>
    public static async ValueTask<SpfResult> CheckAsync(SpfQuery query, IResolver resolver, CancellationToken deadline)
    {
        var (identity, localPart, name) = Sender(query);
        // RFC 8616 4: U-labels become A-labels before anything else
        if (!Idna.TryToAscii(name, out var ascii) || SpfName.CheckedDomain(ascii) is not { } domain)
            return new SpfResult(AuthResult.None, identity, name); // RFC 7208 4.3
        var helo = Idna.TryToAscii(query.Helo, out var hello) ? hello : query.Helo;
        var values = new MacroValues(localPart, domain, helo, new SpfAddress(query.Client), query.Receiver, query.Now.ToUnixTimeSeconds());
        var evaluation = new SpfEvaluation(resolver, deadline);
        try
        {
            var result = await evaluation.CheckHostAsync(values);
            var explanation = result == AuthResult.Fail ? await evaluation.ExplainAsync(values) : null;
            return new SpfResult(result, identity, domain)
            {
                Mechanism = evaluation.Matched,
                Problem = result is AuthResult.TempError or AuthResult.PermError ? evaluation.Problem : null,
                Explanation = explanation ?? (result == AuthResult.Fail ? query.DefaultExplanation : ""),
                ExplainedByDomain = explanation is not null,
                Lookups = evaluation.Lookups,
            };
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            // RFC 7208 4.6.4: too much time is temperror
            return new SpfResult(AuthResult.TempError, identity, domain) { Problem = "the look-ups took too long", Lookups = evaluation.Lookups };
        }
    }

    // RFC 7208 2.4, 4.3: no reverse-path is postmaster at the HELO name, no local part is postmaster's
    static (SpfIdentity Identity, string LocalPart, string Domain) Sender(SpfQuery query)
    {
        if (query.MailFrom.Length == 0) return (SpfIdentity.Helo, "postmaster", query.Helo);
        var at = query.MailFrom.LastIndexOf('@');
        return (SpfIdentity.MailFrom, at > 0 ? query.MailFrom[..at] : "postmaster", query.MailFrom[(at + 1)..]);
    }
}
