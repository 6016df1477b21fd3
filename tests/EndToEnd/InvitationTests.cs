using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CbaMail.MailAuth.Dkim;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A school with a hall, asked by other people's programs and from elsewhere.</summary>
public sealed class InvitationSite : IAsyncLifetime
{
    public const string Anna = "anna@school.test", Boris = "boris@school.test", Hall = "hall@school.test", Open = "open@school.test", Lab = "lab@school.test", Alias = "aula@school.test";

    internal ZonePeer Dns { get; } = new();
    internal TestServer Server { get; private set; } = null!;
    internal DkimPrivateKey Key { get; } = DkimPrivateKey.Create(DkimAlgorithm.Ed25519Sha256);

    public async ValueTask InitializeAsync()
    {
        foreach (var domain in new[] { "google.com", "company.test", "evil.test" }) Dns.Text("k._domainkey." + domain, Key.Record());
        Dns.Text("_dmarc.company.test", "v=DMARC1; p=none");
        Server = await TestServer.StartAsync($$"""
            listeners: {smtp: proxy}
            dns: {servers: ["{{Dns.Address}}"]}
            """);
        await Server.AddAccountsAsync(Anna, Boris);
        foreach (var (address, who) in new[] { (Hall, "domain"), (Open, "everyone"), (Lab, "pat@company.test") }) (await Server.CliAsync("resource", "add", address, "--bookers", who)).Succeeded();
        (await Server.CliAsync("alias", "add", Alias, Hall)).Succeeded();
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Dns.Dispose();
    }
}

/// <summary>Invitations in the forms in which Exchange, Google, Apple and Thunderbird write them, and those that come from strangers.</summary>
public sealed partial class InvitationTests(InvitationSite site) : IClassFixture<InvitationSite>
{
    const string Script = "tests/EndToEnd/python/invitations.py", Pat = "pat@company.test", Service = "calendar-notification@google.com", Elsewhere = "192.0.2.10";

    [GeneratedRegex(@"^def (\w+)\(\):", RegexOptions.Multiline)]
    private static partial Regex Form { get; }

    public static TheoryData<string> Forms => [.. Form.Matches(House.Repository.Read(Script)).Select(match => match.Groups[1].Value)];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Is_read_as_programs_write_it_and_answered_so_that_others_read_it(string form)
    {
        var tool = new Tool
        {
            Environment =
            {
                ["ANNA"] = InvitationSite.Anna, ["HALL"] = InvitationSite.Hall, ["ALIAS"] = InvitationSite.Alias, ["PASSWORD"] = TestServer.Password,
                ["SUBMISSIONS"] = site.Server.Submissions.ToString(CultureInfo.InvariantCulture), ["IMAP"] = site.Server.Imap.ToString(CultureInfo.InvariantCulture),
            },
        };
        (await tool.StartAsync("/usr/bin/python3", Path.Combine(House.Repository.Root, Script), form)).Succeeded();
    }

    static string Event(string organizer, string attendee, int day, string uid)
    {
        var start = DateTime.UtcNow.Date.AddDays(day).AddHours(9);
        string At(DateTime time) => time.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        return $"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Google Inc//Google Calendar 70.9054//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nORGANIZER;CN=Pat:mailto:{organizer}\r\n"
            + $"ATTENDEE;RSVP=TRUE:mailto:{attendee}\r\nDTSTART:{At(start)}\r\nDTEND:{At(start.AddHours(1))}\r\nSUMMARY:Lesson\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    }

    /// <summary>A letter of Google's form, signed by some domains.</summary>
    /// <param name="late">Fields that are added behind the signature.</param>
    async Task<string> SendAsync(string room, string from, string? sender, string organizer, int day, string[] signers, string? attendee = null, string late = "")
    {
        var text = $"From: Pat <{from}>\r\nTo: {room}\r\n{(sender is null ? "" : $"Sender: Google Calendar <{sender}>\r\n")}Subject: Invitation\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{Guid.NewGuid():N}@google.com>\r\n"
            + $"MIME-Version: 1.0\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n{Event(organizer, attendee ?? room, day, Guid.NewGuid().ToString("N"))}";
        foreach (var domain in signers)
            text = Encoding.UTF8.GetString(new DkimSigner([new SigningIdentity(domain, "k", site.Key)], new SigningRules()).Sign(Encoding.UTF8.GetBytes(text), DateTimeOffset.UtcNow)) + text;
        await using var wire = await WireClient.ConnectAsync(site.Server.Smtp);
        await wire.SendAsync($"PROXY TCP4 {Elsewhere} 198.51.100.25 4000 25\r\n");
        await wire.ReplyAsync();
        await wire.SmtpAsync("EHLO mail-x.google.com", "250");
        await wire.SmtpAsync("MAIL FROM:<3abc@calendar-server.bounces.google.com>", "250");
        await wire.SmtpAsync($"RCPT TO:<{room}>", "250");
        await wire.SmtpAsync("DATA", "354");
        await wire.SendAsync(late + text);
        return await wire.SmtpAsync(".");
    }

    async Task<int> BookingsAsync(string room) => (await site.Server.CliAsync("resource", "bookings", room)).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(line => line.Contains("Lesson", StringComparison.Ordinal));

    [Fact]
    public async Task A_calendar_service_speaks_for_its_people_and_gives_nobody_more_than_everyone_has()
    {
        var room = InvitationSite.Open;
        var (open, lab) = (await BookingsAsync(room), await BookingsAsync(InvitationSite.Lab)); // what other tests have booked
        // Workspace without keys of its own: only Google's signature is there
        Assert.StartsWith("250", await SendAsync(room, Pat, Service, Pat, 5, ["google.com"]));
        // From is the service where the domain's policy leaves it no other
        Assert.StartsWith("250", await SendAsync(room, Service, null, Pat, 6, ["google.com"]));
        // a calendar that several people have
        Assert.StartsWith("250", await SendAsync(room, Pat, Service, "c_188@group.calendar.google.com", 7, ["company.test", "google.com"]));
        Assert.Equal(open + 3, await BookingsAsync(room));
        Assert.StartsWith("550 5.7.1", await SendAsync(room, Pat, null, "victim@elsewhere.test", 8, ["company.test"])); // no service
        Assert.StartsWith("550 5.7.1", await SendAsync(room, "eve@evil.test", null, Pat, 8, ["evil.test", "google.com"], late: $"Sender: {Service}\r\n")); // Google has signed no Sender
        Assert.StartsWith("550 5.7.1", await SendAsync(room, "eve@evil.test", Service, Pat, 8, ["evil.test"])); // Google has not signed
        Assert.StartsWith("550 5.7.1", await SendAsync(room, Pat, Service, InvitationSite.Anna, 8, ["google.com"])); // our own people sign in
        Assert.Equal(open + 3, await BookingsAsync(room));
        // who may book by name is who proves it
        Assert.StartsWith("250", await SendAsync(InvitationSite.Lab, Pat, Service, Pat, 5, ["google.com"]));
        Assert.Equal(lab, await BookingsAsync(InvitationSite.Lab));
        Assert.StartsWith("250", await SendAsync(InvitationSite.Lab, Pat, Service, Pat, 5, ["company.test", "google.com"]));
        Assert.Equal(lab + 1, await BookingsAsync(InvitationSite.Lab));
    }

    [Fact]
    public async Task A_stranger_asks_for_himself_and_for_a_room_that_he_invites()
    {
        Assert.StartsWith("550 5.7.1", await SendAsync(InvitationSite.Lab, "mallory@company.test", null, Pat, 10, ["company.test"])); // another of the same domain
        Assert.StartsWith("550 5.7.1", await SendAsync(InvitationSite.Lab, Pat, null, Pat, 10, ["company.test"], attendee: "mallory@elsewhere.test")); // what mallory was sent
        Assert.StartsWith("250", await SendAsync(InvitationSite.Lab, Pat, null, Pat, 10, ["company.test"]));
    }
}
