using System.Text;
using CbaMail.Config;
using CbaMail.Submission;
using CbaMail.Tests.Server.Smtp.Server;
using Xunit;

namespace CbaMail.Tests.Server.Submission;

public sealed class SubmitTests(PostOffice office) : IClassFixture<PostOffice>
{
    Submit Submit => new(office.Settings, office.Directory, TimeProvider.System);

    // any name of one's own domain
    Submit Lax => new(office.Settings with { Smtp = office.Settings.Smtp with { SenderMustOwn = false } }, office.Directory, TimeProvider.System);

    string? Refused(string from, Submit? submit = null) =>
        (submit ?? Submit).Prepare(office.Account("ivan"), Encoding.UTF8.GetBytes($"From: {from}\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n\r\n")).Refusal?.ToString();

    [Theory]
    [InlineData("ivan@example.test")]
    [InlineData("Иван <IVAN+list@example.test>")]
    [InlineData("Team <team@example.test>")]                      // an alias that leads to him
    public void From_may_be_his_own(string from) => Assert.Null(Refused(from));

    [Theory]
    [InlineData("anna@example.test")]
    [InlineData("ivan@example.test, anna@example.test")]
    [InlineData("Course Office <office@example.test>")]           // nobody's, in his own domain
    [InlineData("away@example.test")]                             // an alias that leads elsewhere
    [InlineData("ivan@elsewhere.test")]
    [InlineData("office@catch.test")]                             // a domain that is not his
    [InlineData("undisclosed:;")]
    public void From_may_not_be_somebody_elses(string from) => Assert.StartsWith("550 5.7.1", Refused(from));

    [Theory]
    [InlineData("ivan@example.test\r\nFrom: ivan@example.test")]                    // two fields: readers differ in which they show
    [InlineData("ivan@example.test\r\nno field\r\nFROM : anna@example.test")]     // behind what we take for the end of the header
    [InlineData("ivan@example.test\r\nX\u00fc: y\r\nFrom\u00a0:\r\n anna@example.test")]
    [InlineData("ivan@example.test\r\nSender: anna@example.test")]
    [InlineData("ivan@example.test\r\nResent-From: Anna <anna@example.test>")]
    [InlineData("ivan@example.test\r\nResent-Sender: x@elsewhere.test")]
    public void Nor_may_it_be_so_by_another_field(string from) => Assert.StartsWith("550 5.7.1", Refused(from));

    [Theory]
    [InlineData("ivan@example.test\r\nSender: team@example.test")]
    [InlineData("ivan@example.test\r\nno field, so the text begins: greet\r\n\r\nFrom: anna@example.test")]
    public void His_own_do_no_harm(string from) => Assert.Null(Refused(from));

    [Fact]
    public void Nobody_judges_in_the_servers_name()
    {
        var message = Encoding.UTF8.GetBytes($"From: ivan@example.test\r\nAuthentication-Results: ({office.Settings.Hostname}) {office.Settings.Hostname.ToUpperInvariant()}; dmarc=pass\r\nAuthentication-Results: other.test; spf=pass\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\n");
        var field = Assert.Single(Submit.Prepare(office.Account("ivan"), message).Value!.Removed);
        Assert.Contains("dmarc=pass", Encoding.UTF8.GetString(message[field.Start..field.End]));
    }

    [Theory]
    [InlineData("anna@example.test", true)]
    [InlineData("ivan@example.test, anna@example.test", true)]
    [InlineData("Office <office@example.test>", true)]
    [InlineData("ivan@elsewhere.test", false)]
    [InlineData("ivan@catch.test", false)]                        // ours, but not his domain
    [InlineData("anna@example.test, ivan@elsewhere.test", false)]
    [InlineData("anna@sub.example.test", false)]
    [InlineData("undisclosed:;", false)]
    public void Where_senders_need_not_own_From_may_be_any_of_the_domain(string from, bool may) => Assert.Equal(may, Refused(from, Lax) is null);

    [Theory]
    [InlineData("anna@example.test", false)]
    [InlineData("Course Office <office@example.test>", true)]
    [InlineData("office@catch.test", false)]
    public void In_the_evaluation_profile_From_may_be_nobodys(string from, bool may)
    {
        var submit = new Submit(office.Settings with { Smtp = office.Settings.Smtp with { SenderMustOwn = null } }, office.Directory, TimeProvider.System);
        Assert.Equal(may, Refused(from, submit) is null);
        Assert.Null(submit.CheckSender(office.Account("ivan"), PostOffice.Address("anna@example.test")));
    }

    [Theory]
    [InlineData("anna@example.test", true)]
    [InlineData("nobody@EXAMPLE.test", true)]
    [InlineData("ivan@elsewhere.test", false)]
    [InlineData("ivan@catch.test", false)]
    public void And_so_may_the_reverse_path(string sender, bool may)
    {
        Assert.Equal(may, Lax.CheckSender(office.Account("ivan"), PostOffice.Address(sender)) is null);
        if (!sender.StartsWith("ivan", StringComparison.Ordinal)) Assert.NotNull(Submit.CheckSender(office.Account("ivan"), PostOffice.Address(sender)));
    }

    [Theory]
    [InlineData(false, null, true)]
    [InlineData(true, null, false)]
    [InlineData(true, true, true)]
    [InlineData(false, false, false)]
    public void Senders_must_own_unless_said_or_in_the_evaluation_profile(bool evaluation, bool? said, bool must) =>
        Assert.Equal(must, new SmtpSettings { SenderMustOwn = said }.MustOwn(evaluation));
}
