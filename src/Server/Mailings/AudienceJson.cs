using System.Text.Json;
using System.Text.Json.Nodes;
using CbaMail.Courses;

namespace CbaMail.Mailings;

/// <summary>
/// Audiences as JSON, for whoever builds them of pieces: <c>{"all": [{"role": "student"}, {"not": {"mailing": 7, "fate": "opened"}}]}</c>.
/// The same bounds as of the text hold.
/// </summary>
public static class AudienceJson
{
    static readonly (string Word, AudienceTest Test)[] tests =
        [("=", AudienceTest.Equal), ("<", AudienceTest.Less), ("<=", AudienceTest.AtMost), (">", AudienceTest.More), (">=", AudienceTest.AtLeast), ("contains", AudienceTest.Contains), ("empty", AudienceTest.Empty)];

    public static JsonNode Of(AudienceRule rule) => rule switch
    {
        AudienceRule.Several several => new JsonObject { [several.All ? "all" : "any"] = new JsonArray([.. several.Rules.Select(Of)]) },
        AudienceRule.Not not => new JsonObject { ["not"] = Of(not.Rule) },
        AudienceRule.Everybody => new JsonObject { ["everybody"] = true },
        AudienceRule.Standing standing => new JsonObject { ["standing"] = standing.Former ? "former" : "active" },
        AudienceRule.InRole role => new JsonObject { ["role"] = CourseWords.Of(role.Role) },
        AudienceRule.InRun run => new JsonObject { ["run"] = run.Run },
        AudienceRule.InGroup group => new JsonObject { ["group"] = group.Group },
        AudienceRule.Speaks speaks => new JsonObject { ["language"] = speaks.Language },
        AudienceRule.Value value => new JsonObject { [value.OfPerson ? "attribute" : "field"] = value.Name, ["test"] = tests.First(one => one.Test == value.Test).Word, ["value"] = value.Text },
        AudienceRule.Enrolled enrolled => new JsonObject { ["enrolled"] = new JsonObject { ["from"] = IsoDate.Of(enrolled.From), ["to"] = IsoDate.Of(enrolled.To) } },
        AudienceRule.Copy copy => new JsonObject { ["mailing"] = copy.Mailing, ["fate"] = copy.Fate.ToString().ToLowerInvariant() },
        AudienceRule.InAudience audience => new JsonObject { ["audience"] = audience.Name },
        _ => throw new InvalidOperationException("no such rule"),
    };

    /// <param name="error">What is wrong, with where.</param>
    public static bool TryRead(JsonElement json, out AudienceRule? rule, out string? error)
    {
        var terms = 0;
        error = null;
        rule = Read(json, "rule", 0, ref terms, ref error);
        return rule is not null;
    }

    static AudienceRule? Read(JsonElement json, string at, int depth, ref int terms, ref string? error)
    {
        if (depth >= AudienceText.Deepest || ++terms > AudienceText.MostTerms) { error = $"{at}: it is nested more than {AudienceText.Deepest} deep, or has more than {AudienceText.MostTerms} terms"; return null; }
        if (json.ValueKind != JsonValueKind.Object) { error = $"{at}: an object is expected"; return null; }
        foreach (var (word, all) in new[] { ("all", true), ("any", false) })
        {
            if (!json.TryGetProperty(word, out var list)) continue;
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0) { error = $"{at}.{word}: a list of rules is expected"; return null; }
            var rules = new List<AudienceRule>();
            foreach (var item in list.EnumerateArray())
                if (Read(item, $"{at}.{word}[{rules.Count}]", depth + 1, ref terms, ref error) is { } one) rules.Add(one);
                else return null;
            return rules.Count == 1 ? rules[0] : new AudienceRule.Several(all, rules);
        }
        if (json.TryGetProperty("not", out var inner)) return Read(inner, at + ".not", depth + 1, ref terms, ref error) is { } negated ? new AudienceRule.Not(negated) : null;
        var rule = Term(json);
        if (rule is null) error = $"{at}: this is no rule; there are all, any, not, role, run, group, language, field, attribute, enrolled, mailing, audience, standing, everybody";
        return rule;
    }

    static AudienceRule? Term(JsonElement json)
    {
        string? Text(string name, int longest = AudienceText.LongestName) =>
            json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length <= longest && !text.Any(char.IsControl) ? text : null;
        string? Name(string name) => Text(name) is { Length: > 0 } text ? text : null;
        if (Name("role") is { } role) return CourseWords.TryRole(role, out var found) ? new AudienceRule.InRole(found) : null;
        if (Name("run") is { } run) return new AudienceRule.InRun(run.ToLowerInvariant());
        if (Name("group") is { } group) return new AudienceRule.InGroup(group);
        if (Name("language") is { } language) return CourseWords.Language(language) is { } known ? new AudienceRule.Speaks(known) : null;
        if (Name("audience") is { } audience) return new AudienceRule.InAudience(audience);
        if (Name("standing") is { } standing) return standing is "active" or "former" ? new AudienceRule.Standing(standing == "former") : null;
        if (json.TryGetProperty("everybody", out var everybody)) return everybody.ValueKind == JsonValueKind.True ? new AudienceRule.Everybody() : null;
        if ((Name("field") ?? Name("attribute")) is { } column)
        {
            var test = Array.FindIndex(tests, one => one.Word == (Text("test") ?? "="));
            var text = Text("value", 1000) ?? "";
            return test < 0 ? null : new AudienceRule.Value(Name("attribute") is not null, column, tests[test].Test, tests[test].Test == AudienceTest.Empty ? "" : text);
        }
        if (json.TryGetProperty("mailing", out var mailing))
            return mailing.ValueKind == JsonValueKind.Number && mailing.TryGetInt64(out var id) && id >= 0 && Enum.TryParse<CopyFate>(Name("fate") ?? "sent", ignoreCase: true, out var fate) && Enum.IsDefined(fate) ? new AudienceRule.Copy(id, fate) : null;
        if (json.TryGetProperty("enrolled", out var enrolled) && enrolled.ValueKind == JsonValueKind.Object)
        {
            if (!Day(enrolled, "from", out var from) || !Day(enrolled, "to", out var to)) return null;
            return (from is null && to is null) || to < from ? null : new AudienceRule.Enrolled(from, to);
        }
        return null;
    }

    static bool Day(JsonElement json, string name, out DateOnly? day)
    {
        day = null;
        if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return true;
        if (value.ValueKind != JsonValueKind.String || !IsoDate.TryParse(value.GetString(), out DateOnly date)) return false;
        day = date;
        return true;
    }
}
