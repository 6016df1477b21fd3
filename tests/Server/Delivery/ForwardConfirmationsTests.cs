using CbaMail.Delivery;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Delivery;

/// <summary>Codes that addresses elsewhere are asked by.</summary>
public sealed class ForwardConfirmationsTests : IAsyncLifetime
{
    readonly Office office = new();

    public ValueTask InitializeAsync() => office.InitializeAsync();
    public ValueTask DisposeAsync() => office.DisposeAsync();

    [Fact]
    public async Task Of_two_who_ask_at_once_neither_takes_the_others_code_away_and_both_are_counted()
    {
        var confirmations = new ForwardConfirmations(office.Directory, office.Delivery, TimeProvider.System);
        var ivan = office.Account("ivan"); // as each of them saw it before the other asked
        for (var i = 0; i < 5; i++) Assert.Null(await confirmations.AskAsync(ivan, [Office.Address($"far{i}@elsewhere.test")], default));
        Assert.Equal(5, confirmations.PendingOf(office.Account("ivan")).Count);
        Assert.Contains("At most 5 addresses", (await confirmations.AskAsync(ivan, [Office.Address("more@elsewhere.test")], default))?.Sentence);
        Assert.Null(await confirmations.AskAsync(ivan, [Office.Address("far0@elsewhere.test")], default)); // another code for one of them
        Assert.Equal(5, confirmations.PendingOf(office.Account("ivan")).Count);
    }
}
