using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CbaMail.Cli;

/// <summary>What the REST interface of Mailman 3 says of a list: its configuration, and those on it.</summary>
static class MailmanConfig
{
    /// <summary>Entries of a roster as a table.</summary>
    public static string Table(JsonElement roster)
    {
        var table = new StringBuilder("email,name,delivery_mode,delivery_status,role\n");
        foreach (var one in roster.Items("entries"))
            table.AppendJoin(',', new[] { "email", "display_name", "delivery_mode", "delivery_status", "role" }.Select(name => $"\"{one.Text(name).Replace("\"", "\"\"", StringComparison.Ordinal)}\"")).Append('\n');
        return table.ToString();
    }

    /// <summary>The configuration as the settings of a list; what has nothing that corresponds, and is set, is named.</summary>
    public static SortedDictionary<string, JsonNode> Settings(Invocation invocation, JsonElement config)
    {
        var settings = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        void Leave(string name, string why) => invocation.Error.WriteLine($"{name}: left out; {why}");
        void Number(string from, string to, long least, long most, long times = 1)
        {
            // 0 is without a limit there
            if (config.TryGetProperty(from, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number > 0) settings[to] = Math.Clamp((long)Math.Ceiling(number) * times, least, most);
        }
        void Word(string from, string to, params (string There, string Here)[] words)
        {
            if (config.Text(from) is not { Length: > 0 } word) return;
            if (Array.Find(words, one => one.There == word).Here is { } here) settings[to] = here;
            else Leave(from, $"the list has nothing like \"{Readable.Address(word)}\"");
        }
        if (config.Text("display_name") is { Length: > 0 and <= 200 } title) settings["name"] = title;
        if (config.Text("subject_prefix").Trim() is { Length: > 0 } prefix) if (prefix.Length <= 50) settings["prefix"] = prefix; else Leave("subject_prefix", "it has more than 50 characters");
        Word("preferred_language", "language", ("ru", "ru"), ("en", "en"));
        Word("subscription_policy", "subscription", ("open", "open"), ("confirm", "open"), ("moderate", "approval"), ("confirm_then_moderate", "approval"));
        Word("archive_policy", "archive", ("never", "none"), ("private", "members"), ("public", "public"));
        Word("reply_goes_to_list", "replyTo", ("no_munging", "sender"), ("point_to_list", "list"));
        // of members' posts and of others'
        var (members, others) = (config.Text("default_member_action"), config.Text("default_nonmember_action"));
        if (members.Length > 0 || others.Length > 0)
        {
            settings["posters"] = new JsonArray(members is "reject" or "discard" or "hold" && others is not ("accept" or "defer") ? "moderators" : others is "accept" or "defer" ? "anybody" : "members");
            settings["moderation"] = members == "hold" && others is not ("reject" or "discard") ? "all" : others == "hold" || members == "hold" ? "strangers" : "none";
        }
        foreach (var (from, to) in new[] { ("owner", "owners"), ("moderator", "moderators") })
            if (config.Items(from).ToList() is { Count: > 0 } people) settings[to] = new JsonArray([.. people.Select(one => (JsonNode)(one.GetString() ?? "").ToLowerInvariant())]);
        Number("max_message_size", "maxSize", 1024, 1 << 30, 1024);
        Number("max_num_recipients", "maxRecipients", 1, 1000);
        Number("digest_size_threshold", "digestSize", 1024, 16 << 20, 1024);
        Number("max_days_to_hold", "holdDays", 1, 60);
        Number("bounce_score_threshold", "bounceScore", 1, 100);
        Number("bounce_you_are_disabled_warnings", "bounceProbes", 1, 20);
        if (config.TryGetProperty("process_bounces", out _) && !config.True("process_bounces")) settings["bounceScore"] = 0;
        // 7d, or 7 days, 0:00:00
        if (config.Text("bounce_info_stale_after") is { Length: > 0 } age && long.TryParse(string.Concat(age.TakeWhile(char.IsAsciiDigit)), NumberStyles.None, CultureInfo.InvariantCulture, out var days) && age.Contains('d', StringComparison.Ordinal))
            settings["bounceDays"] = Math.Clamp(days, 1, 365);
        foreach (var name in new[] { "acceptable_aliases", "accept_these_nonmembers", "hold_these_nonmembers", "reject_these_nonmembers", "discard_these_nonmembers", "filter_types", "pass_types", "filter_extensions", "pass_extensions", "reply_to_address", "autoresponse_postings_text", "linked_newsgroup", "usenet_watermark" })
            if (config.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null && value.GetRawText() is not ("\"\"" or "[]")) Leave(name, "the list has nothing like it");
        foreach (var name in new[] { "anonymous_list", "emergency", "filter_content", "personalize" })
            if (config.True(name)) Leave(name, "the list has nothing like it");
        return settings;
    }
}
