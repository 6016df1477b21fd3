using CbaMail.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Directory;

/// <summary>What is kept for SCRAM (RFC 5802 3, 9), and when.</summary>
public class ScramSecretTests
{
    [Fact]
    public async Task It_is_made_with_the_password_and_survives_a_restart()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("anna@example.test", "secret");
        var made = fixture.Users.ScramOf("Anna@Example.test");
        Assert.Equal(10_000, made.Iterations);
        Assert.True(fixture.Users.EverybodyHasScram);
        await fixture.RestartAsync();
        Assert.Equal(made.ToBytes(), fixture.Users.ScramOf("anna@example.test").ToBytes());
    }

    [Fact]
    public async Task A_new_password_has_a_new_one_and_no_password_has_none()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var account = await fixture.AddAsync("anna@example.test", "secret");
        var old = fixture.Users.ScramOf("anna@example.test");
        await fixture.Users.SetAccountAsync(account, new AccountChange(Password: "other"));
        var changed = fixture.Users.ScramOf("anna@example.test");
        Assert.NotEqual(old.Salt, changed.Salt);
        await fixture.Users.SetAccountAsync(account, new AccountChange(Name: "Anna"));
        Assert.Equal(changed.ToBytes(), fixture.Users.ScramOf("anna@example.test").ToBytes());
        await fixture.Users.SetAccountAsync(account, new AccountChange(Password: ""));
        Assert.NotEqual(changed.Salt, fixture.Users.ScramOf("anna@example.test").Salt);
    }

    [Fact]
    public async Task An_imported_hash_gets_one_at_the_next_sign_in_by_the_password()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        Assert.True((await fixture.Users.AddAccountAsync(new NewAccount("anna@example.test", PasswordHash: Crypt.Hash("secret")))).Ok);
        Assert.False(fixture.Users.EverybodyHasScram);
        var pretence = fixture.Users.ScramOf("anna@example.test");
        Assert.False((await fixture.Users.SignInAsync("anna@example.test", "wrong", default)).Ok);
        Assert.Equal(pretence.ToBytes(), fixture.Users.ScramOf("anna@example.test").ToBytes());
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", "secret", default)).Ok);
        Assert.NotEqual(pretence.Salt, fixture.Users.ScramOf("anna@example.test").Salt);
        Assert.True(fixture.Users.EverybodyHasScram);
    }

    // RFC 5802 9: who asks for names learns nothing
    [Fact]
    public async Task Nobodys_name_has_the_same_salt_at_every_attempt_and_after_a_restart()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var first = fixture.Users.ScramOf("nobody@example.test");
        Assert.Equal(first.ToBytes(), fixture.Users.ScramOf("NOBODY@example.test").ToBytes());
        Assert.NotEqual(first.Salt, fixture.Users.ScramOf("nobody2@example.test").Salt);
        await fixture.RestartAsync();
        Assert.Equal(first.ToBytes(), fixture.Users.ScramOf("nobody@example.test").ToBytes());
    }

    [Fact]
    public async Task A_disabled_account_is_nobodys()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var account = await fixture.AddAsync("anna@example.test", "secret");
        var real = fixture.Users.ScramOf("anna@example.test");
        await fixture.Users.SetAccountAsync(account, new AccountChange(Enabled: false));
        Assert.NotEqual(real.Salt, fixture.Users.ScramOf("anna@example.test").Salt);
        Assert.Null(fixture.Users.Proven("anna@example.test"));
    }
}
