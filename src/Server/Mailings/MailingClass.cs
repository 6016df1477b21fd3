namespace CbaMail.Mailings;

/// <summary>What a mailing is to its reader: it decides whether he may leave it and what keeps it from him.</summary>
public enum MailingClass
{
    /// <summary>Exams, safety, what the law wants told: nobody can leave it.</summary>
    Mandatory,
    /// <summary>The course's own business.</summary>
    Course,
    /// <summary>What else there is for those who learn here.</summary>
    Optional,
    /// <summary>Offers: only for who has asked for them.</summary>
    Marketing,
}

/// <summary>What leaving a mailing means.</summary>
public enum Leaving
{
    /// <summary>It cannot be left.</summary>
    None,
    /// <summary>Nothing more of this course but what is mandatory.</summary>
    Course,
    /// <summary>Nothing more of this class, whatever the course of the domain.</summary>
    Class,
}

/// <summary>What follows from a class: one row each.</summary>
/// <param name="Word">As tables, the API and verbs call it.</param>
/// <param name="ByDefault">Whether it goes to who has said nothing.</param>
/// <param name="Suppressions">
/// The reasons on the suppression list that count. A refusal by policy (5.7.x) or a full mailbox (5.2.2) puts nobody there: it says nothing about the person.
/// </param>
/// <param name="Footer">Whether the way to leave it stands in the text itself, besides the header.</param>
/// <param name="Pausable">Whether it heeds who has asked for some quiet.</param>
public sealed record ClassRules(MailingClass Class, string Word, Leaving Leaving, bool ByDefault, IReadOnlyList<string> Suppressions, bool Footer, bool Pausable)
{
    public static readonly IReadOnlyList<ClassRules> All =
    [
        new(MailingClass.Mandatory, "mandatory", Leaving.None, true, ["dead", "manual"], false, false),
        new(MailingClass.Course, "course", Leaving.Course, true, ["dead", "manual", "complaint", "unsubscribed"], false, true),
        new(MailingClass.Optional, "optional", Leaving.Class, true, ["dead", "manual", "complaint", "unsubscribed"], true, true),
        new(MailingClass.Marketing, "marketing", Leaving.Class, false, ["dead", "manual", "complaint", "unsubscribed"], true, true),
    ];

    public static ClassRules Of(MailingClass one) => All[(int)one];

    /// <summary>The class with this word, or null.</summary>
    public static ClassRules? Find(string word) => All.FirstOrDefault(rules => rules.Word == word);

    public bool CanBeLeft => Leaving != Leaving.None;
}
