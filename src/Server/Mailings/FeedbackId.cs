using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Courses;

namespace CbaMail.Mailings;

/// <summary>
/// The Feedback-ID of a mailing, by which Gmail's Postmaster Tools and others tell complaints apart: campaign, customer, kind and sender, divided
/// by ":". The last one stands for all that a domain sends and stays the same for ever: 5 to 15 characters of the domain's name, with a hash where
/// that is too long or too short. It is signed by DKIM like the other fields (SigningRules.GuardedIfPresent), without which Gmail does not count it.
/// </summary>
static class FeedbackId
{
    const int Least = 5, Most = 15, HashDigits = 6;

    public static string Of(long mailing, Course course, string kind = "course") =>
        string.Create(CultureInfo.InvariantCulture, $"m{mailing}:{Word(course.Slug)}:{kind}:{Sender(course.Domain)}");

    internal static string Sender(string domain)
    {
        var word = Word(domain.ToLowerInvariant()).Trim('-');
        if (word.Length is >= Least and <= Most && Ascii.IsValid(domain)) return word;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(domain.ToLowerInvariant())))[..HashDigits];
        return word.Length == 0 ? "d-" + hash : $"{word[..Math.Min(word.Length, Most - HashDigits - 1)].TrimEnd('-')}-{hash}";
    }

    // nothing that divides, folds or has to be encoded
    static string Word(string text) => string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
}
