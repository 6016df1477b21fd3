using System.Text;
using CbaMail.Envelope;

namespace CbaMail.Mailboxes;

/// <summary>Names of mailboxes: levels separated by "/", UTF-8 in NFC (RFC 9051 5.1), INBOX in any case (RFC 9051 5.1).</summary>
public static class MailboxName
{
    public const char Separator = '/';
    const int MaxBytes = 1000;
    const int MaxLevels = 64;

    /// <summary>The name as it is kept, or the reason why there can be none. One trailing separator is dropped (RFC 9051 6.3.4).</summary>
    public static Result<string> Normalize(string name)
    {
        if (name.EndsWith(Separator)) name = name[..^1];
        if (name.Length == 0) return Refusal.Invalid.Because("The mailbox name is empty");
        foreach (var c in name)
            if (char.IsControl(c) || c is '\u2028' or '\u2029' or '\ufffd') return Refusal.Invalid.Because("The mailbox name holds a control character");
        try { name = name.Normalize(NormalizationForm.FormC); }
        catch (ArgumentException) { return Refusal.Invalid.Because("The mailbox name is not valid Unicode"); }
        if (TooLong(name) is { } tooLong) return tooLong;
        var levels = name.Split(Separator);
        if (levels.Any(level => level.Length == 0)) return Refusal.Invalid.Because("A level of the mailbox name is empty");
        if (levels[0].Equals("INBOX", StringComparison.OrdinalIgnoreCase)) levels[0] = "INBOX";
        return string.Join(Separator, levels);
    }

    /// <summary>Why a name is too long or has too many levels, or null.</summary>
    public static Refusal? TooLong(string name) =>
        Encoding.UTF8.GetByteCount(name) > MaxBytes ? Refusal.Invalid.Because($"The mailbox name is longer than {MaxBytes} bytes")
        : name.AsSpan().Count(Separator) >= MaxLevels ? Refusal.Invalid.Because($"The mailbox name has more than {MaxLevels} levels") : null;

    /// <summary>The names above: "a", "a/b" for "a/b/c".</summary>
    public static IEnumerable<string> Above(string name)
    {
        for (var i = name.IndexOf(Separator); i > 0; i = name.IndexOf(Separator, i + 1)) yield return name[..i];
    }
}
