using System.Text;
using CbaMail.Submission;
using CbaMail.Tests.Server.Smtp.Server;
using Xunit;

namespace CbaMail.Tests.Server.Submission;

public sealed class SubmitTests(PostOffice office) : IClassFixture<PostOffice>
{
    Submit Submit => new(office.Settings, office.Directory, TimeProvider.System);

    string? Refused(string from) =>
        Submit.Prepare(office.Account("ivan"), Encoding.UTF8.GetBytes($"From: {from}\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n\r\n")).Refusal?.ToString();

    [Theory]
    [InlineData("ivan@example.test")]
    [InlineData("Иван <IVAN+list@example.test>")]
    [InlineData("Team <team@example.test>")]                      // an alias that leads to him
    [InlineData("Course Office <office@example.test>")]           // nobody's, in his own domain
    public void From_may_be_his_own_or_nobodys(string from) => Assert.Null(Refused(from));

    [Theory]
    [InlineData("anna@example.test")]
    [InlineData("ivan@example.test, anna@example.test")]
    [InlineData("away@example.test")]                             // an alias that leads elsewhere
    [InlineData("ivan@elsewhere.test")]
    [InlineData("office@catch.test")]                             // a domain that is not his
    [InlineData("undisclosed:;")]
    public void From_may_not_be_somebody_elses(string from) => Assert.StartsWith("550 5.7.1", Refused(from));
}
