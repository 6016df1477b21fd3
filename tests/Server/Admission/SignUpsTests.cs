using CbaMail.Admission;
using CbaMail.Directory;
using CbaMail.Tests.Wire;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Admission;

/// <summary>Those who may say yes hear of who waits.</summary>
public sealed class SignUpsTests : IAsyncLifetime
{
    readonly Office office = new();

    public ValueTask InitializeAsync() => office.InitializeAsync();
    public ValueTask DisposeAsync() => office.DisposeAsync();

    [Fact]
    public async Task Who_could_not_be_told_is_told_later()
    {
        var time = new ManualTime();
        time.Set(DateTimeOffset.UtcNow);
        var signUps = new SignUps(office.Store, office.Directory, new AdmissionPost(office.Delivery, office.Directory, office.Settings, time), office.Settings, time);
        var domain = office.Directory.FindDomain("example.test")!;
        await office.Store.CommitAsync(write => AdmissionTable.Add(write, new SignUp(0, domain.Id, "new", "New", "new@elsewhere.test", false, 0, "en", "192.0.2.1", time.GetUtcNow()), "x"));
        await office.Directory.SetAccountAsync(office.Account("anna"), new AccountChange(Quota: 1));
        await signUps.TellAsync(default);
        Assert.Empty(office.Inbox("anna"));
        await office.Directory.SetAccountAsync(office.Account("anna"), new AccountChange(Quota: 0));
        await signUps.TellAsync(default); // not over and over
        Assert.Empty(office.Inbox("anna"));
        for (var i = 0; i < 2; i++)
        {
            time.Advance(office.Settings.Admission.TellEvery);
            await signUps.TellAsync(default);
            Assert.Single(office.Inbox("anna"));
        }
    }
}
