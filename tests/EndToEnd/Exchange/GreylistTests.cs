using Xunit;

namespace CbaMail.Tests.EndToEnd.Exchange;

/// <summary>beta.test asks strangers to come again after a second; real servers do, each in its own way.</summary>
[Collection(FourServers.Name), Trait("Category", "Slow")]
public sealed class GreylistTests
{
    const string Words = "We do not know each other yet";
    readonly FourServers four;

    public GreylistTests(FourServers four)
    {
        this.four = four;
        four.Require();
    }

    [Theory]
    [InlineData("alpha")]
    [InlineData("gamma")]
    [InlineData("delta")]
    public async Task Mail_that_nothing_vouches_for_comes_again_and_is_taken(string from)
    {
        var (sender, beta) = (four.Of(from), four.Beta);
        var subject = "a stranger by " + from;
        await sender.SendAsync("anna@plain.test", beta.Person, Letter.Text("anna@plain.test", beta.Person, subject));
        await sender.UntilLogAsync(Words);
        var mail = await beta.ReceivedAsync(subject);
        Assert.Contains("spf=none", mail);
        await sender.UntilEmptyAsync();
        Assert.Contains(sender.Address.ToString()[..sender.Address.ToString().LastIndexOf('.')], await beta.CliAsync("greylist", "list"));
    }

    [Fact]
    public async Task Mail_that_SPF_vouches_for_is_taken_at_once()
    {
        var (gamma, beta) = (four.Gamma, four.Beta);
        await beta.Server.AddAccountsAsync("bella@beta.test");
        await gamma.SendAsync(gamma.Person, "bella@beta.test", Letter.Text(gamma.Person, "bella@beta.test", "vouched for"));
        await beta.ReceivedAsync("vouched for", "bella@beta.test");
        Assert.DoesNotMatch($"to=<bella@beta.test>.*{Words}", gamma.Log);
    }

    [Fact]
    public async Task An_answer_is_taken_at_once()
    {
        var (delta, beta) = (four.Delta, four.Beta);
        await beta.Server.AddAccountsAsync("berta@beta.test");
        await beta.SendAsync("berta@beta.test", "anna@plain.test", Letter.Text("berta@beta.test", "anna@plain.test", "a question"));
        await four.Alpha.ReceivedAsync("a question", "anna@plain.test");
        await delta.SendAsync("anna@plain.test", "berta@beta.test", Letter.Text("anna@plain.test", "berta@beta.test", "an answer"));
        await beta.ReceivedAsync("an answer", "berta@beta.test");
        Assert.DoesNotMatch($"berta@beta.test.*{Words}", delta.Log);
    }
}
