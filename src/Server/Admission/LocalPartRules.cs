using CbaMail.Directory;
using CbaMail.Envelope;

namespace CbaMail.Admission;

/// <summary>The names that people may pick for themselves.</summary>
static class LocalPartRules
{
    const int Least = 2, Most = 40;

    // RFC 2142, and what others take for the voice of the server
    static readonly HashSet<string> reserved = new(
        """
        postmaster abuse hostmaster webmaster admin administrator root mailer-daemon mailerdaemon daemon nobody noc security info support sales marketing
        www ftp news usenet uucp hostadmin ssladmin sysadmin system server owner bounce bounces noreply no-reply donotreply autoconfig autodiscover
        dmarc dmarc-reports tls-reports tlsrpt postfix mail email list lists listserv majordomo request billing accounts account help helpdesk it cert
        админ администратор поддержка
        """.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), StringComparer.Ordinal);

    /// <summary>Whether no one may pick it, whatever the pattern.</summary>
    public static bool IsReserved(string local) => reserved.Contains(Names.LocalKey(local).Replace('_', '-'));

    /// <summary>A picked name in the form that it is kept in, or why it is none.</summary>
    /// <param name="pattern">That it must be like, with one "*"; "" is any.</param>
    public static Result<string> Pick(string text, string pattern)
    {
        var local = text.Trim().ToLowerInvariant();
        if (local.Length is < Least or > Most || !local.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') || !char.IsAsciiLetterOrDigit(local[0]) || !char.IsAsciiLetterOrDigit(local[^1]) || local.Contains("..", StringComparison.Ordinal))
            return Refusal.BadAddress.Because($"The name before @ has {Least} to {Most} Latin letters and digits; dots, hyphens and underscores may stand between them").At("localPart");
        if (IsReserved(local)) return Refusal.NotPermitted.Because("This name is kept for the server's own use; take another").At("localPart");
        return Fits(local, pattern) ? local : Refusal.Invalid.Because($"The name before @ must look like {pattern}, where * is of your choice").At("localPart");
    }

    static bool Fits(string local, string pattern)
    {
        if (pattern.Length == 0) return true;
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        return local.Length >= pattern.Length && local.StartsWith(pattern[..star], StringComparison.Ordinal) && local.EndsWith(pattern[(star + 1)..], StringComparison.Ordinal);
    }

    /// <summary>Whether it is a pattern: letters, digits and separators around one "*".</summary>
    public static bool IsPattern(string text) => text.Count(c => c == '*') == 1 && text.Length <= Most && text.Replace("*", "", StringComparison.Ordinal).All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_');
}
