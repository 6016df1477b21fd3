using System.Globalization;
using CbaMail.Courses;

namespace CbaMail.Mailings;

/// <summary>What became of somebody's copy of a mailing, as audiences ask for it.</summary>
public enum CopyFate { Sent, Delivered, Bounced, Opened, Clicked, Replied }

/// <summary>How a value is compared.</summary>
public enum AudienceTest { Equal, Less, AtMost, More, AtLeast, Contains, Empty }

/// <summary>Who gets a mailing: an expression over people, what they are in a run, and what they were sent.</summary>
public abstract record AudienceRule
{
    /// <summary>Somebody fits all of it, or one of it.</summary>
    public sealed record Several(bool All, IReadOnlyList<AudienceRule> Rules) : AudienceRule
    {
        public bool Equals(Several? other) => other is not null && All == other.All && Rules.SequenceEqual(other.Rules);
        public override int GetHashCode() => HashCode.Combine(All, Rules.Count);
    }

    public sealed record Not(AudienceRule Rule) : AudienceRule;
    public sealed record Everybody : AudienceRule;
    /// <summary>He is in his run today, or he was.</summary>
    public sealed record Standing(bool Former) : AudienceRule;
    public sealed record InRole(CourseRole Role) : AudienceRule;
    public sealed record InRun(string Run) : AudienceRule;
    public sealed record InGroup(string Group) : AudienceRule;
    public sealed record Speaks(string Language) : AudienceRule;
    /// <param name="OfPerson">An attribute of the person; else a column of the file that brought him.</param>
    public sealed record Value(bool OfPerson, string Name, AudienceTest Test, string Text) : AudienceRule;
    /// <summary>When he came: his first day, or the day on which he was put into the run.</summary>
    public sealed record Enrolled(DateOnly? From, DateOnly? To) : AudienceRule;
    public sealed record Copy(long Mailing, CopyFate Fate) : AudienceRule;
    public sealed record InAudience(string Name) : AudienceRule;

    /// <summary>The rule and all within it.</summary>
    public IEnumerable<AudienceRule> Terms() => this switch
    {
        Several several => several.Rules.SelectMany(rule => rule.Terms()).Prepend(this),
        Not not => not.Rule.Terms().Prepend(this),
        _ => [this],
    };

    /// <summary>In one line, as <see cref="AudienceText.TryParse"/> reads it.</summary>
    public sealed override string ToString() => this switch
    {
        Several several => string.Join(several.All ? " and " : " or ", several.Rules.Select(Inside)),
        Not not => "not " + Inside(not.Rule),
        Everybody => "everybody",
        Standing standing => standing.Former ? "former" : "active",
        InRole role => CourseWords.Of(role.Role) + "s",
        InRun run => "in run " + Written(run.Run),
        InGroup group => "in group " + Written(group.Group),
        Speaks speaks => "speaking " + speaks.Language,
        Value { Test: AudienceTest.Empty } value => $"{(value.OfPerson ? "attribute" : "field")} {Written(value.Name)} is empty",
        Value value => $"{(value.OfPerson ? "attribute" : "field")} {Written(value.Name)} {AudienceText.Sign(value.Test)} {Written(value.Text)}",
        Enrolled enrolled => "enrolled" + (enrolled.From is { } from ? " from " + IsoDate.Of(from) : "") + (enrolled.To is { } to ? " to " + IsoDate.Of(to) : ""),
        Copy copy => string.Create(CultureInfo.InvariantCulture, $"{copy.Fate.ToString().ToLowerInvariant()} mailing {copy.Mailing}"),
        InAudience audience => "in audience " + Written(audience.Name),
        _ => throw new InvalidOperationException("no such rule"),
    };

    static string Inside(AudienceRule rule) => rule is Several ? $"({rule})" : rule.ToString();

    static string Written(string name) => AudienceText.IsBare(name) ? name : "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
}
