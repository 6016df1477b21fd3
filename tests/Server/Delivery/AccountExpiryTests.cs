using CbaMail.Delivery;
using CbaMail.Directory;
using Microsoft.Extensions.Logging.Abstractions;
using CbaMail.Tests.Wire;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Delivery;

public sealed class AccountExpiryTests : IAsyncLifetime
{
    readonly Office office = new();

    public ValueTask InitializeAsync() => office.InitializeAsync();
    public ValueTask DisposeAsync() => office.DisposeAsync();

    [Fact]
    public async Task A_surprise_does_not_end_the_looking_nor_the_server()
    {
        var time = new ManualTime();
        using var expiry = new AccountExpiry(office.Directory, office.Delivery, time, NullLogger<AccountExpiry>.Instance);
        await office.Directory.SetAccountAsync(office.Account("ivan"), new AccountChange(Profile: _ => new AccountProfile { Expires = time.GetUtcNow() }));
        var surprises = 1;
        var surprised = new TaskCompletionSource();
        office.Directory.SignInChanging += (_, _) =>
        {
            if (surprises-- <= 0) return;
            surprised.SetResult();
            throw new InvalidOperationException("a surprise");
        };
        await expiry.StartAsync(default);
        await surprised.Task;
        await Wait.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(1));
            Assert.False(expiry.ExecuteTask!.IsFaulted);
            return !office.Account("ivan").Enabled;
        }, "the account is disabled");
        await expiry.StopAsync(default);
    }

    [Fact]
    public async Task The_owner_is_told_once_for_each_time_and_then_the_account_is_disabled()
    {
        var time = new ManualTime();
        using var expiry = new AccountExpiry(office.Directory, office.Delivery, time, NullLogger<AccountExpiry>.Instance);
        var ends = time.GetUtcNow().AddDays(10);
        Task SetAsync(AccountProfile profile) => office.Directory.SetAccountAsync(office.Account("ivan"), new AccountChange(Profile: _ => profile)).AsTask();
        await SetAsync(new AccountProfile { Expires = ends, ExpiryNoticeDays = 7, Language = "ru" });
        await expiry.LookAsync(default);
        Assert.Empty(office.Inbox("ivan"));
        time.Advance(TimeSpan.FromDays(4));
        for (var i = 0; i < 2; i++) await expiry.LookAsync(default);
        Assert.Contains("обратитесь к администратору домена example.test", Assert.Single(office.Inbox("ivan")));
        await SetAsync(office.Account("ivan").Profile with { Expires = ends.AddDays(1) }); // another time, another notice
        await expiry.LookAsync(default);
        Assert.Equal(2, office.Inbox("ivan").Count);
        time.Advance(TimeSpan.FromDays(7));
        Assert.True(office.Account("ivan").Enabled);
        await expiry.LookAsync(default);
        Assert.False(office.Account("ivan").Enabled);
    }
}
