using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary>What was probably meant by a verb that is not there: a typing error, or the word that another mail server has for it.</summary>
static class VerbSuggestions
{
    /// <summary>Words of Postfix, Exim, Dovecot, mox and everyday use.</summary>
    static readonly Dictionary<string, string> Elsewhere = new(StringComparer.OrdinalIgnoreCase)
    {
        ["mailq"] = "queue list",
        ["postqueue"] = "queue list",
        ["exim"] = "queue list",
        ["postsuper"] = "queue drop",
        ["postcat"] = "queue show",
        ["qshape"] = "queue summary",
        ["queue flush"] = "queue retry",
        ["flush"] = "queue retry",
        ["queue kick"] = "queue retry",
        ["queue delete"] = "queue drop",
        ["queue remove"] = "queue drop",
        ["queue search"] = "queue list",
        ["queue unhold"] = "queue release",
        ["queue resume"] = "queue release",
        ["queue pause"] = "queue hold",
        ["queue stats"] = "queue summary",
        ["log"] = "message trace",
        ["logs"] = "message trace",
        ["trace"] = "message trace",
        ["why"] = "message trace",
        ["grep"] = "message trace",
        ["exigrep"] = "message trace",
        ["find"] = "message trace",
        ["pflogsumm"] = "message summary",
        ["stats"] = "message summary",
        ["summary"] = "message summary",
        ["eximstats"] = "message summary",
        ["quickstart"] = "setup",
        ["install"] = "setup",
        ["start"] = "serve",
        ["run"] = "serve",
        ["configtest"] = "check config",
        ["config"] = "check config",
        ["postfix"] = "check config",
        ["postconf"] = "check config",
        ["user"] = "account list",
        ["user add"] = "account add",
        ["mailbox"] = "account list",
        ["mailbox add"] = "account add",
        ["doveadm"] = "account list",
        ["passwd"] = "account password",
        ["cert"] = "tls list",
        ["certs"] = "tls list",
        ["certificate"] = "tls list",
        ["acme"] = "tls list",
        ["dns"] = "domain dns",
        ["dns check"] = "check dns",
        ["dnscheck"] = "check dns",
        ["forward"] = "policy set",
        ["forward add"] = "policy set",
        ["relay"] = "policy set",
        ["catchall"] = "domain set",
        ["unban"] = "ban remove",
        ["fail2ban"] = "ban list",
        ["blocklist"] = "ban list",
        ["whitelist"] = "allow list",
        ["allowlist"] = "allow list",
        ["bounce"] = "suppression list",
        ["bounces"] = "suppression list",
        ["dmarc"] = "report show",
        ["health"] = "status",
        ["domain delete"] = "domain remove",
        ["account delete"] = "account remove",
        ["alias delete"] = "alias remove",
        ["account create"] = "account add",
        ["domain create"] = "domain add",
        ["alias create"] = "alias add",
    };

    /// <param name="words">What was typed, one word or two.</param>
    public static string Sentence(IReadOnlyList<Verb> verbs, IReadOnlyList<string> words)
    {
        if (words.Count == 0) return "cbamail: the verb comes first and its options after it; \"cbamail help\" lists the verbs";
        var typed = string.Join(' ', words);
        var meant = Meant(verbs, words);
        var what = meant is null ? "" : $"; did you mean \"{meant}\"?";
        var isGroup = words.Count > 0 && verbs.Any(verb => verb.Group == words[0]);
        return isGroup && words.Count == 1 ? $"cbamail: say what is to be done with \"{typed}\":"
            : $"cbamail: there is no verb \"{typed}\"{what}{(isGroup ? (meant is null ? "; " : " ") + "There are:" : " \"cbamail help\" lists them")}".Replace("\" \"cbamail", "\"; \"cbamail", StringComparison.Ordinal);
    }

    static string? Meant(IReadOnlyList<Verb> verbs, IReadOnlyList<string> words)
    {
        if (words.Count == 0) return null;
        var typed = string.Join(' ', words);
        if (Known(typed) is { } whole) return whole;
        var nearest = verbs.Select(verb => (verb.Name, Distance: SettingsFile.Distance(typed.ToLowerInvariant(), verb.Name))).MinBy(pair => pair.Distance);
        if (nearest.Distance <= Math.Max(2, typed.Length / 4)) return nearest.Name;
        return Known(words[0]) ?? (verbs.Any(verb => verb.Group == words[0]) ? null
            : verbs.Select(verb => verb.Group).Where(group => group.Length > 0).Distinct().FirstOrDefault(group => SettingsFile.Distance(words[0].ToLowerInvariant(), group) <= 1));

        string? Known(string word) => Elsewhere.TryGetValue(word, out var verb) && verbs.Any(row => row.Name == verb) ? verb : null;
    }
}
