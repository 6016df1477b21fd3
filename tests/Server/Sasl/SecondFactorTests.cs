using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Sasl;
using CbaMail.Storage;
using CbaMail.Tests.Server.Directory;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Sasl;

public sealed class SecondFactorTests
{
    static SecondFactors Of(DirectoryFixture fixture, params string[] requiredFor) =>
        new(fixture.Store, fixture.Time, fixture.Users, new Secrets(fixture.Store, fixture.Time, NullLogger<Secrets>.Instance), new Settings { SignIn = new() { SecondFactorFor = requiredFor } }, new Passkeys(fixture.Store, fixture.Time, fixture.Users));

    static string Code(DirectoryFixture fixture, byte[] key, int off = 0) => Totp.Code(key, Totp.StepOf(fixture.Time.GetUtcNow()) + off);

    static async Task<(byte[] Key, IReadOnlyList<string> Codes)> SetUpAsync(DirectoryFixture fixture, SecondFactors factors, Account account)
    {
        var key = (await factors.BeginAsync(account, default)).Value!;
        Assert.False(factors.Has(account)); // not before its owner has shown that the app has it
        var codes = (await factors.ConfirmAsync(account, Code(fixture, key), default)).Value!;
        Assert.True(factors.Has(account));
        return (key, codes);
    }

    [Fact]
    public async Task A_code_counts_once_and_a_restart_does_not_forget_it()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test", "main");
        var factors = Of(fixture);
        var (key, _) = await SetUpAsync(fixture, factors, anna);
        Assert.NotNull(await factors.CheckAsync(anna, Code(fixture, key), default)); // it was shown at the confirmation
        fixture.Time.Advance(TimeSpan.FromSeconds(30));
        var code = Code(fixture, key);
        var both = await Task.WhenAll(factors.CheckAsync(anna, code, default).AsTask(), factors.CheckAsync(anna, $"{code[..3]} {code[3..]}", default).AsTask());
        Assert.Single(both, one => one is null);
        await fixture.RestartAsync();
        factors = Of(fixture);
        Assert.True(factors.Has(anna));
        Assert.NotNull(await factors.CheckAsync(anna, code, default));
        Assert.NotNull(await factors.CheckAsync(anna, Code(fixture, key, off: -1), default)); // older than one that was taken
        Assert.Null(await factors.CheckAsync(anna, Code(fixture, key, off: 1), default));
    }

    [Fact]
    public async Task Each_of_ten_recovery_codes_counts_once_also_while_codes_are_not_heard()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test", "main");
        var factors = Of(fixture);
        var (key, codes) = await SetUpAsync(fixture, factors, anna);
        Assert.Equal(10, codes.Distinct().Count());
        fixture.Time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 5; i++) Assert.Equal(Refusal.SignInFailed.Status, (await factors.CheckAsync(anna, "000000", default))!.Status);
        Assert.True((await factors.CheckAsync(anna, Code(fixture, key), default))!.IsTemporary); // right, and not heard
        Assert.Null(await factors.CheckAsync(anna, codes[0].ToUpperInvariant().Replace("-", " "), default));
        Assert.NotNull(await factors.CheckAsync(anna, codes[0], default));
        Assert.Equal(9, factors.State(anna).RecoveryCodes);
        fixture.Time.Advance(TimeSpan.FromMinutes(6));
        var renewed = (await factors.RenewRecoveryCodesAsync(anna, Code(fixture, key), default)).Value!;
        Assert.NotNull(await factors.CheckAsync(anna, codes[1], default));
        Assert.Null(await factors.CheckAsync(anna, renewed[1], default));
    }

    [Fact]
    public async Task Of_many_codes_at_once_five_are_heard()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test", "main");
        var factors = Of(fixture);
        await SetUpAsync(fixture, factors, anna);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => Task.Run(async () => await factors.CheckAsync(anna, $"x{number:D5}", default))));
        Assert.Equal(45, answers.Count(answer => answer!.IsTemporary));
    }

    [Fact]
    public async Task Mail_programs_take_application_passwords_then_and_not_the_main_one()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test", "main");
        var (factors, applications) = (Of(fixture), new ApplicationPasswords(fixture.Store, fixture.Time, fixture.Users));
        var door = Door.Of(fixture, applications: applications, factors: factors);
        var text = (await applications.AddAsync(anna, new("Phone"), default)).Value.Text;
        Assert.True((await door.TryAsync(new Credentials("anna@example.test", "main"), Door.Visitor(), default)).Ok);
        var (key, _) = await SetUpAsync(fixture, factors, anna);
        Assert.Equal(SecondFactors.NeedsApplicationPassword, (await door.TryAsync(new Credentials("anna@example.test", "main"), Door.Visitor(), default)).Refusal);
        Assert.Equal(SecondFactors.NeedsApplicationPassword, (await door.TryAsync(new Proof("anna@example.test", true), Door.Visitor(), default)).Refusal);
        Assert.Equal(Refusal.SignInFailed, (await door.TryAsync(new Credentials("anna@example.test", "wrong"), Door.Visitor(), default)).Refusal); // says no more than before
        Assert.True((await door.TryAsync(new Credentials("anna@example.test", text), Door.Visitor(), default)).Ok);
        Assert.Null(await factors.RemoveAsync(anna, passkeysToo: true, default));
        Assert.True((await door.TryAsync(new Credentials("anna@example.test", "main"), Door.Visitor(), default)).Ok);
        Assert.NotNull(await factors.CheckAsync(anna, Code(fixture, key, 1), default));
    }

    [Fact]
    public async Task It_is_required_by_role_and_by_domain_and_goes_with_the_account()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var (anna, boris) = (await fixture.AddAsync("anna@example.test", "main"), (await fixture.Users.AddAccountAsync(new("boris@example.test", Role: Role.Admin))).Value!);
        Assert.Equal((false, true), (Of(fixture, "admin").IsRequired(anna), Of(fixture, "admin").IsRequired(boris)));
        var factors = Of(fixture, "example.test");
        Assert.Equal((true, true), (factors.IsRequired(anna), factors.IsRequired(boris)));
        var door = Door.Of(fixture, factors: factors);
        Assert.False((await door.TryAsync(new Credentials("anna@example.test", "main"), Door.Visitor(), default)).Ok);
        await SetUpAsync(fixture, factors, anna);
        await fixture.Users.RemoveAccountAsync(anna);
        Assert.False(factors.Has(anna));
    }

    [Fact]
    public async Task Who_guesses_at_one_name_from_many_addresses_waits_and_its_owner_does_not()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var settings = new Settings { Limits = new() { SignInDelay = TimeSpan.FromSeconds(1), SignInFailures = 100 } };
        var limits = new LoginLimits(settings, fixture.Time);
        var waits = Enumerable.Range(1, 40).Select(last => limits.Failed(System.Net.IPAddress.Parse($"192.0.2.{last}"), "anna@example.test")).ToList();
        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(16)), (waits[0], waits[^1]));
        Assert.Equal(TimeSpan.FromSeconds(1), limits.Failed(System.Net.IPAddress.Parse("192.0.2.99"), "boris@example.test"));
        Assert.False(limits.IsBarred(System.Net.IPAddress.Parse("198.51.100.1"))); // whoever is right is answered
    }

    [Fact]
    public async Task The_history_tells_who_came_and_who_tried_alike_ones_in_one_row()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test", "main");
        var history = new SignInHistory(fixture.Store, fixture.Time, fixture.Users);
        var home = System.Net.IPAddress.Parse("192.0.2.1");
        for (var i = 0; i < 3; i++) history.Record(anna, home, "imap", "password", true);
        fixture.Time.Advance(TimeSpan.FromMinutes(6));
        history.Record(anna, home, "imap", "password", true);
        for (var i = 0; i < 150; i++) history.Record(anna, new System.Net.IPAddress([198, 51, 100, (byte)i]), "imap", "password", false);
        await fixture.Store.StartCommit(_ => true); // behind those of before
        var rows = history.List(anna);
        Assert.Equal((1, 100), (rows.Count(row => row.Succeeded), rows.Count(row => !row.Succeeded)));
        Assert.Equal(4, rows.Single(row => row.Succeeded).Times);
        fixture.Time.Advance(TimeSpan.FromHours(2));
        history.Record(anna, home, "imap", "password", true);
        await fixture.Store.StartCommit(_ => true);
        Assert.Equal(2, history.List(anna).Count(row => row.Succeeded));
        await fixture.Users.RemoveAccountAsync(anna);
        Assert.Empty(history.List(anna));
    }

    [Theory]
    [InlineData("short", false)]
    [InlineData("1234567890123", false)]
    [InlineData("abcdefghijklm", false)]
    [InlineData("aaaaaaaaaaaab", false)]
    [InlineData("P@ssw0rd-2024!", false)]
    [InlineData("qwertyuiop", false)]
    [InlineData("йцукенгшщз1", false)]
    [InlineData("anna@example.test", false)]
    [InlineData("anna-karenina-77", false)]
    [InlineData("karenina12", false)]
    [InlineData("синий трамвай едет", true)]
    [InlineData("kD8-2mQz_pW", true)]
    public async Task A_password_of_ones_own_is_long_enough_not_common_and_not_the_address(string password, bool isGood)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = (await fixture.Users.AddAccountAsync(new("anna@example.test", "Karenina"))).Value!;
        Assert.Equal(isGood, PasswordPolicy.Check(password, anna, 10) is null);
    }
}
