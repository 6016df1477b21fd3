using CbaMail.Courses;
using CbaMail.Mailings;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

public class FeedbackIdTests
{
    [Theory]
    [InlineData("example.test", "example-test")]
    [InlineData("a.io", "a-io-")] // too short: with a hash
    [InlineData("mail.courses.university.example", "mail-cou-")]
    [InlineData("почта.рф", "")]
    public void The_sender_is_5_to_15_characters_and_always_the_same(string domain, string begins)
    {
        var sender = FeedbackId.Sender(domain);
        Assert.InRange(sender.Length, 5, 15);
        Assert.Matches("^[a-z0-9-]+$", sender);
        Assert.StartsWith(begins, sender, StringComparison.Ordinal);
        Assert.Equal(sender, FeedbackId.Sender(domain.ToUpperInvariant()));
    }

    [Fact]
    public void Campaign_course_kind_and_sender_stand_in_it()
    {
        var course = new Course(3, "algebra-1", "Algebra", "example.test", "en", [], 0, default);
        Assert.Equal("m17:algebra-1:course:example-test", FeedbackId.Of(17, course));
        Assert.Equal(3, FeedbackId.Of(17, course with { Slug = "a:b c" }).Count(c => c == ':'));
        Assert.NotEqual(FeedbackId.Sender("one.university.example"), FeedbackId.Sender("one.university.examples"));
    }
}
