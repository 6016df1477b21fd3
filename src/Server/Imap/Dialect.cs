using CbaMail.Config;

namespace CbaMail.Imap;

/// <summary>
/// What the client has said it understands (ENABLE: RFC 5161, RFC 9051 6.3.1). Session, writer and reader share it:
/// it changes the names of mailboxes, the numbers of messages and how news are told.
/// </summary>
internal sealed class Dialect
{
    /// <summary>Extensions that ENABLE turns on, as they are written.</summary>
    static readonly string[] Known = ["CONDSTORE", "IMAP4rev2", "METADATA", "QRESYNC", "UIDONLY", "UTF8=ACCEPT"];

    /// <summary>In capitals.</summary>
    public HashSet<string> Enabled { get; } = [];

    /// <summary>MODSEQ goes with every untagged FETCH (RFC 7162 3.1).</summary>
    public bool CondStore { get; private set; }
    /// <summary>RFC 9051 appendix E: ESEARCH, no \Recent, LIST on SELECT.</summary>
    public bool Rev2 { get; private set; }
    /// <summary>RFC 7162 3.2.</summary>
    public bool QResync { get; private set; }
    /// <summary>Messages are named by UID alone (RFC 9586).</summary>
    public bool UidOnly { get; private set; }

    /// <summary>Mailbox names are UTF-8 in both directions, and never modified UTF-7 (RFC 9051 5.1, RFC 6855 3).</summary>
    public bool Utf8 => Rev2 || Utf8Headers;
    /// <summary>Header fields may hold UTF-8 (RFC 6855 3).</summary>
    public bool Utf8Headers => Enabled.Contains("UTF8=ACCEPT");
    /// <summary>VANISHED in place of EXPUNGE (RFC 7162 3.2.10, RFC 9586 3.3).</summary>
    public bool Vanished => QResync || UidOnly;
    /// <summary>News of flags name the UID (RFC 7162 3.2.4, RFC 9051 appendix E 21).</summary>
    public bool NamesUid => CondStore || Rev2;

    /// <summary>Of what people read (RFC 5255 3).</summary>
    public MailLanguage Language { get; set; }

    /// <summary>The name as ENABLED repeats it, or null for what this does not turn on.</summary>
    public static string? Name(string word) => Array.Find(Known, k => k.Equals(word, StringComparison.OrdinalIgnoreCase));

    /// <returns>Whether it was not enabled before.</returns>
    public bool Enable(string word)
    {
        if (!Enabled.Add(word)) return false;
        CondStore = Enabled.Contains("CONDSTORE");
        Rev2 = Enabled.Contains("IMAP4REV2");
        QResync = Enabled.Contains("QRESYNC");
        UidOnly = Enabled.Contains("UIDONLY");
        return true;
    }

    /// <summary>As before the sign-in (RFC 8437 4.1).</summary>
    public void Reset()
    {
        Enabled.Clear();
        CondStore = Rev2 = QResync = UidOnly = false;
        Language = default; // i-default
    }
}
