using System.Text;
using CbaMail.Config;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dkim;
using CbaMail.Storage;
using CbaMail.Tests.Formats.MailAuth;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Delivery;

/// <summary>Signatures that are made before a message's turn comes.</summary>
public sealed class OwnSignaturesTests : IAsyncDisposable
{
    readonly string directory = System.IO.Directory.CreateTempSubdirectory("cba-own").FullName;
    readonly ManualTime time = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    readonly Settings settings;
    readonly Store store;
    readonly UserDirectory people;
    readonly SigningKeys keys;

    public OwnSignaturesTests()
    {
        settings = new Settings { Data = directory, Evaluation = true }; // keys sign at once
        store = new Store(settings, NullLogger<Store>.Instance);
        people = new UserDirectory(store, time);
        keys = new SigningKeys(settings, store, new Secrets(store, time, NullLogger<Secrets>.Instance), people, new TextZone(), time, NullLogger<SigningKeys>.Instance);
    }

    async Task<TextZone> DomainAsync()
    {
        var domain = (await people.AddDomainAsync("school.test")).Value!;
        await keys.EnsureAsync(domain, default);
        var zone = new TextZone();
        foreach (var key in keys.List(domain)) zone.Add($"{key.Selector}._domainkey.school.test", key.Record);
        return zone;
    }

    static byte[] Letter(string from) => Encoding.UTF8.GetBytes($"From: {from}\r\nTo: x@far.test\r\nSubject: hello\r\n\r\nText.\r\n");

    [Fact]
    public async Task A_message_is_signed_with_all_keys_of_its_authors_domain()
    {
        var zone = await DomainAsync();
        var signatures = new OwnSignatures(keys, settings, time);
        var fields = signatures.Ahead(Letter("anna@school.test"));
        using var message = new SignedMessage(new byte[][] { fields, Letter("anna@school.test") }.SelectMany(part => part).ToArray());
        var verdicts = await new DkimVerifier(new DkimKeys(zone)).VerifyAsync(message, time.GetUtcNow(), default);
        Assert.Equal(["ed25519-sha256 Pass", "rsa-sha256 Pass"], verdicts.Select(verdict => $"{verdict.Signature.AlgorithmName} {verdict.Result}").Order());
    }

    [Fact]
    public async Task Mail_of_others_is_not_signed_nor_any_where_it_is_switched_off()
    {
        await DomainAsync();
        var signatures = new OwnSignatures(keys, settings, time);
        Assert.Empty(signatures.Ahead(Letter("anna@elsewhere.test")));
        Assert.Empty(signatures.Ahead(Letter("anna@school.test, boris@elsewhere.test")));
        Assert.Empty(signatures.Ahead("no header at all"u8.ToArray()));
        Assert.Empty(new OwnSignatures(keys, settings with { Dkim = new DkimSettings { Sign = false } }, time).Ahead(Letter("anna@school.test")));
    }

    [Fact]
    public void They_are_taken_once_and_within_an_hour()
    {
        var signatures = new OwnSignatures(keys, settings, time);
        signatures.Keep(1, [1]);
        signatures.Keep(2, [2]);
        Assert.Equal([1], signatures.Take(1)!);
        Assert.Null(signatures.Take(1));
        Assert.Null(signatures.Take(3));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Null(signatures.Take(2));
        Assert.Equal(0, signatures.Count);
    }

    [Fact]
    public async Task When_much_waits_the_rest_is_signed_as_it_leaves_and_what_is_forgotten_makes_room()
    {
        await DomainAsync();
        var signatures = new OwnSignatures(keys, settings, time);
        for (var id = 0; id < OwnSignatures.Most; id++) signatures.Keep(id, [1]);
        Assert.Empty(signatures.Ahead(Letter("anna@school.test")));
        signatures.Take(7);
        Assert.NotEmpty(signatures.Ahead(Letter("anna@school.test")));
        signatures.Keep(7, [1]);
        time.Advance(TimeSpan.FromMinutes(30));
        Assert.Empty(signatures.Ahead(Letter("anna@school.test")));
        time.Advance(TimeSpan.FromMinutes(30));
        Assert.NotEmpty(signatures.Ahead(Letter("anna@school.test")));
        Assert.Equal(0, signatures.Count);
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }
}
