using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using Xunit;

namespace CbaMail.Tests.Server.Directory;

public sealed class UserDirectoryTests
{
    static MailAddress Address(string text) => MailAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text);

    [Theory]
    [InlineData("anna@example.test", "anna@example.test")]
    [InlineData("ANNA@Example.TEST", "anna@example.test")]
    [InlineData("anna@example.test.", "anna@example.test")]
    [InlineData("\"anna\"@example.test", "anna@example.test")]
    [InlineData("anna+shop@example.test", "anna@example.test|shop")]
    [InlineData("Anna+Shop+2@example.test", "anna@example.test|shop+2")]
    [InlineData("anna+@example.test", "anna@example.test")]
    [InlineData("c++@example.test", "c++@example.test")]
    [InlineData("+anna@example.test", "5.1.1")]
    [InlineData("nobody@example.test", "5.1.1")]
    [InlineData("anna@example.org", "5.1.2")]
    [InlineData("anna@sub.example.test", "5.1.2")]
    [InlineData("anna@[127.0.0.1]", "5.1.2")]
    [InlineData("info@example.test", "anna@example.test remote:friend@elsewhere.example")]
    [InlineData("info+x@example.test", "anna@example.test remote:friend@elsewhere.example")]
    [InlineData("all@example.test", "anna@example.test remote:friend@elsewhere.example c++@example.test")]
    [InlineData("circle@example.test", "c++@example.test")]
    [InlineData("empty-circle@example.test", "5.1.1")]
    [InlineData("dangling@example.test", "5.1.1")]
    [InlineData("detailed@example.test", "anna@example.test|kurs")]
    public async Task An_address_leads_to_its_people(string address, string people)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("Anna@Example.test");
        await fixture.AddAsync("c++@example.test");
        foreach (var (name, targets) in new (string, string[])[]
        {
            ("info", ["anna@example.test", "friend@elsewhere.example", "ANNA@example.test"]),
            ("all", ["info@example.test", "c++@example.test", "anna@example.test"]),
            ("circle", ["circle2@example.test", "c++@example.test"]), ("circle2", ["circle@example.test"]),
            ("empty-circle", ["empty-circle2@example.test"]), ("empty-circle2", ["empty-circle@example.test"]),
            ("dangling", ["nobody@example.test"]), ("detailed", ["anna+kurs@example.test"]),
        })
            Assert.True((await fixture.Users.AddAliasAsync(name + "@example.test", targets)).Ok);
        Assert.Equal(people, fixture.Resolve(address));
        await fixture.RestartAsync();
        Assert.Equal(people, fixture.Resolve(address));
    }

    [Fact]
    public async Task Aliases_end_after_ten_steps()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("anna@example.test");
        for (var i = 0; i < 15; i++) await fixture.Users.AddAliasAsync($"a{i}@example.test", [i == 14 ? "anna@example.test" : $"a{i + 1}@example.test"]);
        Assert.Equal("5.1.1", fixture.Resolve("a0@example.test"));
        Assert.Equal("anna@example.test", fixture.Resolve("a8@example.test"));
    }

    [Fact]
    public async Task A_catch_all_gets_what_nobody_has()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test");
        await fixture.AddAsync("boris@example.test");
        Assert.True((await fixture.Users.SetDomainAsync("EXAMPLE.test", null, "anna@example.test")).Ok);
        Assert.Equal("anna@example.test", fixture.Resolve("whoever+x@example.test"));
        Assert.Equal("boris@example.test|x", fixture.Resolve("boris+x@example.test"));
        Assert.False(fixture.Users.MaySendAs(anna, Address("whoever@example.test")));
        await fixture.Users.SetDomainAsync("example.test", null, "");
        Assert.Equal("5.1.1", fixture.Resolve("whoever@example.test"));
    }

    // RFC 5321 4.5.1
    [Fact]
    public async Task Postmaster_is_always_there()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        Assert.Equal("5.1.1", fixture.Resolve("postmaster@example.test"));
        await fixture.Users.AddAccountAsync(new("admin@example.test", Role: Role.Admin));
        Assert.Equal("admin@example.test", fixture.Resolve("PostMaster@example.test"));
        await fixture.AddAsync("postmaster@example.test");
        Assert.Equal("postmaster@example.test", fixture.Resolve("postmaster@example.test"));
    }

    [Fact]
    public async Task Russian_domains_and_names_have_one_form()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        Assert.Equal("xn--e1afmkfd.xn--p1ai", (await fixture.Users.AddDomainAsync("Пример.РФ")).Value!.Name);
        await fixture.AddAsync("Анна@пример.рф");
        Assert.Equal("анна@xn--e1afmkfd.xn--p1ai", fixture.Resolve("АННА@XN--E1AFMKFD.xn--p1ai"));
        await fixture.AddAsync("andre\u0301@example.test"); // e with a combining accent
        Assert.NotNull(fixture.Users.FindAccount(Address("andr\u00e9@example.test")));
        Assert.NotNull(fixture.Users.FindDomain("пример.рф"));
    }

    [Theory]
    [InlineData("anna@example.test", true)]
    [InlineData("Anna+news@example.test", true)]
    [InlineData("info@example.test", true)]
    [InlineData("boris@example.test", false)]
    [InlineData("nobody@example.test", false)]
    [InlineData("anna@elsewhere.example", false)]
    public async Task One_sends_as_oneself_and_by_aliases(string sender, bool may)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test");
        await fixture.AddAsync("boris@example.test");
        await fixture.Users.AddAliasAsync("info@example.test", ["anna@example.test"]);
        Assert.Equal(may, fixture.Users.MaySendAs(anna, Address(sender)));
    }

    [Fact]
    public async Task A_sign_in_takes_the_address_in_any_case_and_nothing_else()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("anna@example.test", "right");
        await fixture.AddAsync("mute@example.test");
        await fixture.Users.AddAliasAsync("info@example.test", ["anna@example.test"]);
        async Task<bool> In(string user, string password) => (await fixture.Users.SignInAsync(user, password, default)).Ok;
        Assert.True(await In("anna@example.test", "right"));
        Assert.True(await In("ANNA@Example.Test", "right"));
        foreach (var (user, password) in new[]
        {
            ("anna@example.test", "wrong"), ("anna@example.test", ""), ("anna@example.test", "right\0x"), ("anna@example.test", new string('x', 600)),
            ("anna+x@example.test", "right"), ("info@example.test", "right"), ("anna", "right"), ("", ""), ("mute@example.test", ""), ("mute@example.test", "x"),
            ("nobody@example.test", "right"),
        })
            Assert.False(await In(user, password));
    }

    [Fact]
    public async Task A_changed_password_is_the_only_one_at_once()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var anna = await fixture.AddAsync("anna@example.test", "old");
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", "old", default)).Ok);
        Assert.True((await fixture.Users.SetAccountAsync(anna, new(Password: "пароль\u00a0два"))).Ok);
        Assert.False((await fixture.Users.SignInAsync("anna@example.test", "old", default)).Ok);
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", "пароль два", default)).Ok); // RFC 8265 4.2.1
        await fixture.Users.SetAccountAsync(anna, new(Enabled: false));
        Assert.False((await fixture.Users.SignInAsync("anna@example.test", "пароль два", default)).Ok);
    }

    [Theory]
    [InlineData("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!")]
    [InlineData("$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!")]
    [InlineData("$2b$05$abcdefghijklmnopqrstuu7nFISH/8YdwlXD3lw69A4iBUf6fvWAW", "Hello world!")]
    [InlineData("$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "password")]
    public async Task Hashes_of_other_servers_are_taken_and_renewed(string hash, string password)
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var account = (await fixture.Users.AddAccountAsync(new("anna@example.test", PasswordHash: hash))).Value!;
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", password, default)).Ok);
        Assert.StartsWith("$y$", fixture.Users.PasswordHash(account.Id));
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", password, default)).Ok);
    }

    [Theory]
    [InlineData(null, "$y$j75$")]
    [InlineData(2, "$y$j85$")]
    public async Task A_hash_of_another_cost_is_renewed_where_a_cost_is_set(int? cost, string after)
    {
        await using var fixture = await DirectoryFixture.NewAsync(new SignInSettings { PasswordCost = cost });
        var account = (await fixture.Users.AddAccountAsync(new("anna@example.test", PasswordHash: Crypt.Hash("secret", cost: 1)))).Value!;
        Assert.StartsWith("$y$j75$", fixture.Users.PasswordHash(account.Id));
        Assert.False((await fixture.Users.SignInAsync("anna@example.test", "guess", default)).Ok);
        Assert.StartsWith("$y$j75$", fixture.Users.PasswordHash(account.Id));
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", "secret", default)).Ok);
        Assert.StartsWith(after, fixture.Users.PasswordHash(account.Id));
    }

    [Fact]
    public async Task What_is_taken_is_refused()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("anna@example.test");
        await fixture.Users.AddAliasAsync("info@example.test", ["anna@example.test"]);
        Assert.Equal(409, (await fixture.Users.AddDomainAsync("Example.Test.")).Refusal!.HttpStatus);
        Assert.Equal(409, (await fixture.Users.AddAccountAsync(new("ANNA@example.test"))).Refusal!.HttpStatus);
        Assert.Equal(409, (await fixture.Users.AddAccountAsync(new("info@example.test"))).Refusal!.HttpStatus);
        Assert.Equal(409, (await fixture.Users.AddAliasAsync("anna@example.test", ["x@y.example"])).Refusal!.HttpStatus);
        Assert.Equal(404, (await fixture.Users.AddAccountAsync(new("anna@nowhere.test"))).Refusal!.HttpStatus);
        Assert.Equal(400, (await fixture.Users.AddAccountAsync(new("anna"))).Refusal!.HttpStatus);
        Assert.Equal(400, (await fixture.Users.AddAccountAsync(new("b@example.test", Name: "two\nlines"))).Refusal!.HttpStatus);
        Assert.Equal(400, (await fixture.Users.AddAccountAsync(new("b@example.test", Password: new string('x', 512)))).Refusal!.HttpStatus);
        Assert.Equal(400, (await fixture.Users.AddAliasAsync("self@example.test", ["Self@example.test"])).Refusal!.HttpStatus);
        Assert.Equal(409, (await fixture.Users.RemoveDomainAsync("example.test"))!.HttpStatus);
    }

    [Fact]
    public async Task Many_are_added_each_for_itself_and_belong_to_their_rooms()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var made = new List<long>();
        fixture.Users.AccountAdding += (_, account) => made.Add(account.Id);
        fixture.Users.AccountRemoving += (_, account) => made.Remove(account.Id);
        var wanted = Enumerable.Range(0, 600).Select(i => new NewAccount(i == 300 ? "bad address" : $"p{i % 599}@example.test")).ToList();
        var results = await fixture.Users.AddAccountsAsync(wanted);
        Assert.Equal(598, results.Count(result => result.Ok));
        Assert.Equal(400, results[300].Refusal!.HttpStatus);
        Assert.Equal(409, results[599].Refusal!.HttpStatus);
        Assert.Equal(598, made.Count);
        await fixture.RestartAsync();
        Assert.Equal(598, fixture.Users.AccountCount);
        var first = fixture.Users.FindAccount(Address("p0@example.test"))!;
        Assert.Null(await fixture.Users.RemoveAccountAsync(first));
        Assert.Equal("5.1.1", fixture.Resolve("p0@example.test"));
        Assert.Equal(404, (await fixture.Users.RemoveAccountAsync(first))!.HttpStatus);
    }

    [Fact]
    public async Task A_sign_in_overtakes_an_import()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        await fixture.AddAsync("anna@example.test", "right");
        var import = fixture.Users.AddAccountsAsync([.. Enumerable.Range(0, 60).Select(i => new NewAccount($"p{i}@example.test", Password: "x"))]).AsTask();
        Assert.True((await fixture.Users.SignInAsync("anna@example.test", "right", default)).Ok);
        Assert.False(import.IsCompleted);
        await import;
    }
    [Fact]
    public async Task Changes_that_are_committed_together_do_not_undo_one_another()
    {
        await using var fixture = await DirectoryFixture.NewAsync();
        var (anna, users) = (await fixture.AddAsync("anna@example.test"), fixture.Users);
        await users.AddAliasAsync("old@example.test", ["a@elsewhere.example", "b@elsewhere.example", "c@elsewhere.example"]);
        var changes = new List<Task>();

        // the committer is kept busy until all of them wait: then they are one batch
        using var all = new ManualResetEventSlim();
        var busy = fixture.Store.StartCommit(_ => all.Wait(TimeSpan.FromSeconds(30)));
        changes.Add(users.SetAccountAsync(anna, new AccountChange(Name: "Anna")).AsTask());
        changes.Add(users.SetAccountAsync(anna, new AccountChange(Quota: 4711)).AsTask());
        changes.Add(users.AddAliasAsync("new@example.test", ["one@elsewhere.example"]).AsTask());
        changes.Add(users.AddAliasAsync("new@example.test", ["two@elsewhere.example"]).AsTask());
        changes.Add(users.RemoveAliasAsync("old@example.test", "a@elsewhere.example").AsTask());
        changes.Add(users.RemoveAliasAsync("old@example.test", "c@elsewhere.example").AsTask());
        changes.Add(users.SetDomainAsync("example.test", 1000, null).AsTask());
        changes.Add(users.SetDomainAsync("example.test", null, "anna@example.test").AsTask());
        all.Set();
        Assert.True(await busy);
        await Task.WhenAll(changes);

        for (var restarted = false; ; restarted = true)
        {
            Assert.Equal("remote:one@elsewhere.example remote:two@elsewhere.example", fixture.Resolve("new@example.test"));
            Assert.Equal("remote:b@elsewhere.example", fixture.Resolve("old@example.test"));
            var account = fixture.Users.GetAccount(anna.Id)!;
            Assert.Equal(("Anna", 4711), (account.Name, account.Quota));
            var domain = fixture.Users.FindDomain("example.test")!;
            Assert.Equal((1000, "anna@example.test"), (domain.DefaultQuota, domain.CatchAll));
            if (restarted) break;
            await fixture.RestartAsync();
        }
    }
}
