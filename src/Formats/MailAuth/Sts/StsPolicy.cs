using System.Globalization;

namespace CbaMail.MailAuth.Sts;

/// <summary>What a domain wants of those who send to it (RFC 8461 5).</summary>
public enum StsMode
{
    /// <summary>No policy any more.</summary>
    None,
    /// <summary>Report what would have failed, deliver all the same.</summary>
    Testing,
    Enforce,
}

/// <summary>A policy of MTA-STS (RFC 8461 3.2).</summary>
/// <param name="Exchanges">Names of mail servers in lower case; <c>*.</c> in front stands for one label.</param>
/// <param name="MaxAge">How long it may be kept.</param>
public sealed record StsPolicy(StsMode Mode, IReadOnlyList<string> Exchanges, TimeSpan MaxAge)
{
    /// <summary>RFC 8461 3.3: what is longer need not be read.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>RFC 8461 3.2: about a year.</summary>
    public const int MaxSeconds = 31_557_600;

    const int MaxExchanges = 1000;

    /// <summary>Reads a policy; false with a sentence where it is none. Never throws.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out StsPolicy policy, out string problem)
    {
        (policy, problem) = (new StsPolicy(StsMode.None, [], TimeSpan.Zero), "");
        string? version = null, mode = null, age = null;
        var exchanges = new List<string>();
        if (text.Length > MaxLength) return Fail("it is longer than 64 KB", out problem);
        foreach (var range in text.Split('\n'))
        {
            // RFC 8461 3.2 sts-policy-term: LF or CRLF
            var line = text[range].TrimEnd("\r \t");
            if (line.IsEmpty) continue;
            var colon = line.IndexOf(':');
            if (colon <= 0) return Fail("a line has no \"key: value\"", out problem);
            var key = line[..colon];
            var value = line[(colon + 1)..].Trim(" \t").ToString();
            // RFC 8461 3.2: keys but mx count once, the first; unknown ones are passed over
            if (key.SequenceEqual("version")) version ??= value;
            else if (key.SequenceEqual("mode")) mode ??= value;
            else if (key.SequenceEqual("max_age")) age ??= value;
            else if (key.SequenceEqual("mx"))
            {
                if (!IsPattern(value)) return Fail($"\"{Shown(value)}\" is no name of a mail server", out problem);
                if (exchanges.Count >= MaxExchanges) return Fail("it names too many mail servers", out problem);
                exchanges.Add(value.TrimEnd('.').ToLowerInvariant());
            }
        }
        if (version != "STSv1") return Fail("its version is not STSv1", out problem);
        StsMode? read = mode switch { "enforce" => StsMode.Enforce, "testing" => StsMode.Testing, "none" => StsMode.None, _ => null };
        if (read is null) return Fail("its mode is none of enforce, testing and none", out problem);
        if (age is not { Length: > 0 and <= 10 } || !long.TryParse(age, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return Fail("its max_age is no number of seconds", out problem);
        if (read != StsMode.None && exchanges.Count == 0) return Fail("it names no mail server", out problem);
        policy = new StsPolicy(read.Value, exchanges, TimeSpan.FromSeconds(Math.Min(seconds, MaxSeconds)));
        return true;
    }

    static bool Fail(string sentence, out string problem)
    {
        problem = sentence;
        return false;
    }

    static string Shown(string value) => new([.. value.Take(80).Select(c => c is > ' ' and < '\x7f' ? c : '?')]);

    static bool IsPattern(string value)
    {
        var name = value.StartsWith("*.", StringComparison.Ordinal) ? value.AsSpan(2) : value;
        if (name.EndsWith(".")) name = name[..^1];
        if (name.Length is 0 or > 253) return false;
        foreach (var label in name.Split('.'))
        {
            if (name[label].Length is 0 or > 63) return false;
            foreach (var c in name[label])
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) return false;
        }
        return true;
    }

    /// <summary>Whether the policy allows a mail server (RFC 8461 4.1): by its name, or by an asterisk for exactly one label.</summary>
    public bool Allows(string exchange)
    {
        exchange = exchange.TrimEnd('.');
        foreach (var pattern in Exchanges)
        {
            if (!pattern.StartsWith("*.", StringComparison.Ordinal))
            {
                if (pattern.Equals(exchange, StringComparison.OrdinalIgnoreCase)) return true;
                continue;
            }
            var dot = exchange.IndexOf('.', StringComparison.Ordinal);
            if (dot > 0 && exchange.AsSpan(dot).Equals(pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }

    /// <summary>The lines as they are published, for reports (RFC 8460 4.2 policy-string).</summary>
    public IReadOnlyList<string> Lines =>
    [
        "version: STSv1", $"mode: {Mode.ToString().ToLowerInvariant()}", .. Exchanges.Select(exchange => "mx: " + exchange),
        string.Create(CultureInfo.InvariantCulture, $"max_age: {(long)MaxAge.TotalSeconds}"),
    ];
}
