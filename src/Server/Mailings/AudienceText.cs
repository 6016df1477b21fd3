using System.Globalization;
using CbaMail.Courses;

namespace CbaMail.Mailings;

/// <summary>
/// Audiences in one line that reads like a sentence: <c>students of run spring in group B who have not opened mailing 7, without those in audience staff</c>.
/// Terms that stand beside each other hold together; "or", "not" and parentheses as usual. Bounded in length, depth and terms; never throws on input.
/// </summary>
public static class AudienceText
{
    public const int Longest = 4000, MostTerms = 200, Deepest = 20, LongestName = 200;

    static readonly string[] signs = ["=", "<", "<=", ">", ">=", "contains", "is empty"];

    // words that make a sentence of it and say nothing
    static readonly HashSet<string> filling = new(StringComparer.Ordinal) { "who", "which", "that", "those", "people", "of", "in", "the", "have", "has", "had", "been", "was", "were", "are", "is", "with" };

    static readonly HashSet<string> words = new(StringComparer.Ordinal)
    {
        "and", "or", "not", "without", "except", "everybody", "everyone", "active", "former", "run", "group", "speaking", "language", "field", "attribute", "enrolled", "mailing", "audience",
        "student", "students", "teacher", "teachers", "assistant", "assistants", "guardian", "guardians", "sent", "delivered", "bounced", "opened", "clicked", "replied", "contains", "empty", "from", "to", "between", "before", "after",
    };

    internal static string Sign(AudienceTest test) => signs[(int)test];

    /// <summary>Whether a name can stand without quotation marks.</summary>
    internal static bool IsBare(string name) => name.Length > 0 && name.All(IsOfWord) && !words.Contains(name.ToLowerInvariant()) && !filling.Contains(name.ToLowerInvariant());

    static bool IsOfWord(char c) => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or '@' or '/' or '+';

    /// <param name="error">What is wrong, with the 1-based column.</param>
    public static bool TryParse(string text, out AudienceRule? rule, out string? error)
    {
        rule = null;
        if (text.Length > Longest) { error = $"it is longer than {Longest} characters"; return false; }
        var reader = new Reader(text);
        rule = reader.Whole();
        error = reader.Error;
        if (error is not null) rule = null;
        return rule is not null;
    }

    enum Kind { Word, Quoted, Mark, End }

    sealed class Reader(string text)
    {
        int position, depth, terms, start;
        Kind kind;
        string token = "";

        /// <summary>The first that was wrong.</summary>
        public string? Error { get; private set; }

        public AudienceRule? Whole()
        {
            Next();
            if (kind == Kind.End) return Fail("nobody is named; \"everybody\" is everybody who is in the course");
            var rule = Or();
            return Error is null && kind != Kind.End ? Fail($"\"{token}\" is not expected here") : rule;
        }

        AudienceRule? Fail(string what)
        {
            Error ??= string.Create(CultureInfo.InvariantCulture, $"column {start + 1}: {what}");
            kind = Kind.End;
            return null;
        }

        void Next()
        {
            while (position < text.Length && char.IsWhiteSpace(text[position])) position++;
            start = position;
            if (position >= text.Length) { (kind, token) = (Kind.End, ""); return; }
            var c = text[position];
            if (c == '"') { Quoted(); return; }
            if (IsOfWord(c))
            {
                while (position < text.Length && IsOfWord(text[position])) position++;
                (kind, token) = (Kind.Word, text[start..position]);
                return;
            }
            position++;
            if (c is '<' or '>' or '!' && position < text.Length && text[position] == '=') position++;
            (kind, token) = (Kind.Mark, text[start..position]);
            if (token is not ("(" or ")" or "," or "=" or "<" or "<=" or ">" or ">=" or "!=")) Fail($"\"{token}\" says nothing here");
        }

        void Quoted()
        {
            var value = new System.Text.StringBuilder();
            for (position++; position < text.Length; position++)
            {
                if (text[position] != '"') value.Append(text[position]);
                else if (position + 1 < text.Length && text[position + 1] == '"') { value.Append('"'); position++; }
                else { position++; (kind, token) = (Kind.Quoted, value.ToString()); return; }
            }
            Fail("a quotation mark is opened and never closed");
        }

        bool Is(string word) => kind == Kind.Word && string.Equals(token, word, StringComparison.OrdinalIgnoreCase);
        bool IsMark(string mark) => kind == Kind.Mark && token == mark;

        bool Take(string word)
        {
            if (!Is(word)) return false;
            Next();
            return true;
        }

        void Skip() { while (kind == Kind.Word && filling.Contains(token.ToLowerInvariant())) Next(); }

        AudienceRule? Or()
        {
            if (++depth > Deepest) return Fail($"it is nested more than {Deepest} deep");
            var rules = new List<AudienceRule>();
            do { if (And() is { } rule) rules.Add(rule); else return null; } while (Take("or"));
            depth--;
            return rules.Count == 1 ? rules[0] : new AudienceRule.Several(false, rules);
        }

        AudienceRule? And()
        {
            var rules = new List<AudienceRule>();
            while (true)
            {
                Skip();
                if (Unary() is not { } rule) return null;
                rules.Add(rule);
                Skip();
                while (IsMark(",")) Next();
                var more = Take("and");
                Skip();
                if (kind != Kind.End && !IsMark(")") && !Is("or")) continue;
                if (more) return Fail("something must follow \"and\"");
                break;
            }
            return Error is not null ? null : rules.Count == 1 ? rules[0] : new AudienceRule.Several(true, rules);
        }

        AudienceRule? Unary()
        {
            Skip();
            if (Is("not") || Is("without") || Is("except"))
            {
                if (++depth > Deepest) return Fail($"it is nested more than {Deepest} deep");
                Next();
                var inner = Unary();
                depth--;
                return inner is null ? null : new AudienceRule.Not(inner);
            }
            if (IsMark("("))
            {
                Next();
                var inner = Or();
                if (inner is null) return null;
                if (!IsMark(")")) return Fail("a parenthesis is opened and not closed");
                Next();
                return inner;
            }
            if (++terms > MostTerms) return Fail($"there are more than {MostTerms} terms");
            return Term();
        }

        AudienceRule? Term()
        {
            if (kind != Kind.Word) return Fail(kind == Kind.End ? "something must follow" : $"\"{token}\" is not expected here");
            var word = token.ToLowerInvariant();
            var at = start;
            Next();
            switch (word)
            {
                case "everybody" or "everyone": return new AudienceRule.Everybody();
                case "active": return new AudienceRule.Standing(false);
                case "former": return new AudienceRule.Standing(true);
                case "student" or "students": return new AudienceRule.InRole(CourseRole.Student);
                case "teacher" or "teachers": return new AudienceRule.InRole(CourseRole.Teacher);
                case "assistant" or "assistants": return new AudienceRule.InRole(CourseRole.Assistant);
                case "guardian" or "guardians": return new AudienceRule.InRole(CourseRole.Guardian);
                case "run": return Name("a run") is { } run ? new AudienceRule.InRun(run.ToLowerInvariant()) : null;
                case "group": return Name("a group") is { } group ? new AudienceRule.InGroup(group) : null;
                case "audience": return Name("an audience") is { } audience ? new AudienceRule.InAudience(audience) : null;
                case "speaking" or "language": return Language();
                case "field" or "attribute": return Value(word == "attribute");
                case "enrolled": return Enrolled();
                case "sent" or "delivered" or "bounced" or "opened" or "clicked" or "replied": return Copy(Enum.Parse<CopyFate>(word, ignoreCase: true));
            }
            start = at;
            return Fail($"\"{(word.Length > 40 ? word[..40] : word)}\" is not known; there are roles (students, teachers, assistants, guardians), run, group, speaking, field, attribute, enrolled, sent, delivered, bounced, opened, clicked, replied, audience, active, former, everybody");
        }

        string? Name(string what)
        {
            if (kind is not (Kind.Word or Kind.Quoted) || token.Length is 0 or > LongestName || token.Any(char.IsControl)) { Fail($"the name of {what} must follow, in quotation marks where it has spaces"); return null; }
            var name = token;
            Next();
            return name;
        }

        AudienceRule.Speaks? Language()
        {
            if (kind == Kind.Word && CourseWords.Language(token) is { } language) { Next(); return new(language); }
            Fail("ru or en must follow");
            return null;
        }

        AudienceRule? Value(bool ofPerson)
        {
            if (Name("a column") is not { } name) return null;
            if (Take("is"))
            {
                var isNot = Take("not");
                if (!Take("empty")) return Fail("\"empty\" must follow");
                var empty = new AudienceRule.Value(ofPerson, name, AudienceTest.Empty, "");
                return isNot ? new AudienceRule.Not(empty) : empty;
            }
            AudienceTest test;
            var negated = false;
            if (kind == Kind.Mark && token == "!=") (test, negated) = (AudienceTest.Equal, true);
            else if (Is("contains")) test = AudienceTest.Contains;
            else if (kind == Kind.Mark && Array.IndexOf(signs, token) is >= 0 and var sign) test = (AudienceTest)sign;
            else return Fail("=, !=, <, <=, >, >=, contains, is empty or is not empty must follow");
            Next();
            if (kind is not (Kind.Word or Kind.Quoted) || token.Length > 1000) return Fail("a value must follow, in quotation marks where it has spaces");
            var rule = new AudienceRule.Value(ofPerson, name, test, token);
            Next();
            return negated ? new AudienceRule.Not(rule) : rule;
        }

        AudienceRule? Enrolled()
        {
            DateOnly? from = null, to = null;
            if (Take("between"))
            {
                if (!Day(out from)) return null;
                if (!Take("and")) return Fail("\"and\" and a second date must follow");
                if (!Day(out to)) return null;
            }
            else
            {
                if ((Take("from") || Take("after") || Take("since")) && !Day(out from)) return null;
                if ((Take("to") || Take("until") || Take("before")) && !Day(out to)) return null;
            }
            if (from is null && to is null) return Fail("\"from\" or \"to\" and a date must follow");
            return to < from ? Fail("the second date is before the first") : new AudienceRule.Enrolled(from, to);
        }

        bool Day(out DateOnly? date)
        {
            date = null;
            if (kind != Kind.Word || !IsoDate.TryParse(token, out DateOnly day)) { Fail("a date as 2027-02-01 must follow"); return false; }
            date = day;
            Next();
            return true;
        }

        AudienceRule? Copy(CopyFate fate)
        {
            if (!Take("mailing")) return Fail("\"mailing\" and its number must follow");
            if (kind != Kind.Word || !long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var mailing)) return Fail("the number of a mailing must follow");
            Next();
            return new AudienceRule.Copy(mailing, fate);
        }
    }
}
