using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Sasl;
using CbaMail.Tests.Server.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Sasl;

/// <summary>Passwords of single programs, as mail protocols take them.</summary>
public sealed class ApplicationPasswordTests
{
    static async Task<(DirectoryFixture, Account, ApplicationPasswords)> NewAsync()
    {
        var fixture = await DirectoryFixture.NewAsync();
        return (fixture, await fixture.AddAsync("anna@example.test", "main"), new ApplicationPasswords(fixture.Store, fixture.Time, fixture.Users));
    }

    static async Task<bool> SignsInAsync(DirectoryFixture fixture, ApplicationPasswords applications, string password, Protocol protocol = Protocol.Imap, string user = "anna@example.test") =>
        (await Door.Of(fixture, applications: applications).TryAsync(new Credentials(user, password), Door.Visitor(protocol), default)).Ok;

    [Fact]
    public async Task It_signs_in_beside_the_main_one_however_it_is_typed_until_it_is_removed()
    {
        var (fixture, anna, applications) = await NewAsync();
        await using var _ = fixture;
        await fixture.AddAsync("boris@example.test", "main");
        var (made, text) = (await applications.AddAsync(anna, new("Phone"), default)).Value;
        Assert.True(await SignsInAsync(fixture, applications, text));
        Assert.True(await SignsInAsync(fixture, applications, text.Replace("-", " ").ToUpperInvariant()));
        Assert.True(await SignsInAsync(fixture, applications, "main"));
        Assert.False(await SignsInAsync(fixture, applications, text[..^1] + "1"));
        Assert.False(await SignsInAsync(fixture, applications, text, user: "boris@example.test"));
        Assert.NotNull(await applications.RemoveAsync(anna.Id + 1, made.Id, default)); // nobody else's
        Assert.Null(await applications.RemoveAsync(anna.Id, made.Id, default));
        Assert.False(await SignsInAsync(fixture, applications, text));
    }

    [Fact]
    public async Task It_is_good_for_its_protocols_its_networks_and_its_time()
    {
        var (fixture, anna, applications) = await NewAsync();
        await using var _ = fixture;
        var imap = (await applications.AddAsync(anna, new("Phone", ["imap"]), default)).Value.Text;
        Assert.True(await SignsInAsync(fixture, applications, imap, Protocol.Imaps));
        Assert.False(await SignsInAsync(fixture, applications, imap, Protocol.Submission));
        Assert.False(await SignsInAsync(fixture, applications, imap, Protocol.Pop3));
        var elsewhere = (await applications.AddAsync(anna, new("Printer", Networks: ["192.0.2.0/24"]), default)).Value.Text;
        Assert.False(await SignsInAsync(fixture, applications, elsewhere));
        var today = (await applications.AddAsync(anna, new("Kiosk", Expires: fixture.Time.GetUtcNow().AddDays(1)), default)).Value.Text;
        Assert.True(await SignsInAsync(fixture, applications, today));
        fixture.Time.Advance(TimeSpan.FromDays(2));
        Assert.False(await SignsInAsync(fixture, applications, today));
    }

    [Fact]
    public async Task It_ends_with_the_account_and_rests_while_that_is_disabled()
    {
        var (fixture, anna, applications) = await NewAsync();
        await using var _ = fixture;
        var text = (await applications.AddAsync(anna, new("Phone"), default)).Value.Text;
        await fixture.Users.SetAccountAsync(anna, new(Enabled: false));
        Assert.False(await SignsInAsync(fixture, applications, text));
        await fixture.Users.SetAccountAsync(anna, new(Enabled: true));
        Assert.True(await SignsInAsync(fixture, applications, text));
        await fixture.Users.RemoveAccountAsync(anna);
        Assert.Empty(applications.List(anna.Id));
    }

    [Fact]
    public async Task Its_last_use_is_kept_and_it_outlives_a_restart()
    {
        var (fixture, anna, applications) = await NewAsync();
        await using var _ = fixture;
        var text = (await applications.AddAsync(anna, new("Phone"), default)).Value.Text;
        Assert.Null(applications.List(anna.Id).Single().Use);
        Assert.True(await SignsInAsync(fixture, applications, text));
        Assert.Equal("imap", applications.List(anna.Id).Single().Use!.By);
        await fixture.RestartAsync();
        var again = new ApplicationPasswords(fixture.Store, fixture.Time, fixture.Users);
        Assert.Equal("imap", again.List(anna.Id).Single().Use!.By);
        Assert.True(await SignsInAsync(fixture, again, text));
    }

    [Fact]
    public async Task There_are_fifty_at_most_and_what_is_wrong_is_said()
    {
        var (fixture, anna, applications) = await NewAsync();
        await using var _ = fixture;
        foreach (var wrong in new NewApplicationPassword[] { new(""), new("x", ["ftp"]), new("x", Networks: ["here"]), new("x", Expires: DateTimeOffset.UnixEpoch) })
            Assert.False((await applications.AddAsync(anna, wrong, default)).Ok);
        var made = await Task.WhenAll(Enumerable.Range(0, 55).Select(number => applications.AddAsync(anna, new($"Program {number}"), default).AsTask()));
        Assert.Equal((50, 50), (made.Count(one => one.Ok), applications.List(anna.Id).Count));
    }
}
