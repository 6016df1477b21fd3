using System.Net;
using System.Net.Sockets;
using System.Text;
using CbaMail.Directory;
using CbaMail.Dns;
using CbaMail.Mailings;
using CbaMail.Storage;
using CbaMail.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static CbaMail.Tests.Server.Mailings.MailingFixture;

namespace CbaMail.Tests.Server.Mailings;

public class OutsideCheckTests
{
    static OutsideCheck Check(MailingFixture house, IResolver zone, bool evaluation = true)
    {
        var settings = house.Settings with { Evaluation = evaluation };
        var keys = new SigningKeys(settings, house.Store, new Secrets(house.Store, TimeProvider.System, NullLogger<Secrets>.Instance), house.Users, zone, TimeProvider.System, NullLogger<SigningKeys>.Instance);
        return new(house.Press, zone, house.Users, keys, settings, TimeProvider.System);
    }

    static async Task<List<CheckFinding>> FindAsync(OutsideCheck check, long mailing) => [.. Ok(await check.RunAsync(mailing, default)).Findings];

    static IEnumerable<string> Dead(IEnumerable<CheckFinding> findings) => findings.Where(found => found.Code == "link.dead").Select(found => found.English);

    [Fact]
    public async Task Links_are_followed_and_those_that_do_not_open_are_named_with_their_place()
    {
        await using var house = new MailingFixture();
        await using var site = new Site();
        var course = await house.CourseAsync(1);
        string[] paths = ["good", "gone", "head", "loop", "away", "moved", "closed", "broken"];
        var html = string.Concat(paths.Select(path => $"<a href=\"{site.Url}{path}\">x</a>\n")) + $"<a href=\"{site.Url}{{{{address}}}}\">own</a><img alt=\"\" src=\"{site.Url}gone.png\">";
        using var check = Check(house, new TestZone());
        var found = await FindAsync(check, await house.MailingAsync(course, html: html, text: $"See {site.Url}gone-too. Yours: {site.Url}own/{{{{ address }}}} {site.Url}gone-{{{{name}}}}"));
        Assert.Equal(["gone", "loop", "away", "broken", "gone.png", "gone-too"], Dead(found).Select(text => text.Split(' ')[2][site.Url.Length..]));
        Assert.Equal((2, "html"), (found.First(one => one.Code == "link.dead").Line, found.First(one => one.Code == "link.dead").Part));
        Assert.Contains("404", Dead(found).First(), StringComparison.Ordinal);
        Assert.Contains("HEAD /good", site.Asked);
        Assert.DoesNotContain("GET /good", site.Asked);
        Assert.Contains("GET /head", site.Asked);
        Assert.DoesNotContain(site.Asked, line => line.Contains('@', StringComparison.Ordinal)); // nobody's own link
    }

    [Fact]
    public async Task None_of_our_own_net_is_asked_whatever_the_link_is_called()
    {
        await using var house = new MailingFixture();
        await using var site = new Site();
        var course = await house.CourseAsync(1);
        var zone = new TestZone().Add("inside.example", "127.0.0.1").Add("mapped.example", "::ffff:10.0.0.1");
        string[] links = [site.Url, "http://inside.example/", "http://mapped.example/", "http://169.254.169.254/latest", "http://[::1]/", "http://user:pw@inside.example/", "http://inside.example:25/"];
        using var check = Check(house, zone, evaluation: false);
        var found = await FindAsync(check, await house.MailingAsync(course, html: string.Concat(links.Select(link => $"<a href=\"{link}\">x</a>"))));
        Assert.Equal(links.Length, Dead(found).Count());
        Assert.Empty(site.Asked);
    }

    [Fact]
    public async Task Domains_that_take_no_mail_are_named_once_with_how_many_read_there()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1, "a@no.test,A,A\nb@no.test,B,A\nc@null.test,C,A\nd@mx.test,D,A\ne@host.test,E,A\nf@silent.test,F,A\n");
        var zone = new TestZone().Add("null.test", new MxRecord(0, ".")).Add("mx.test", new MxRecord(10, "in.mx.test")).Add("host.test", "192.0.2.1");
        zone.Failing.Add("silent.test");
        using var check = Check(house, zone);
        var found = (await FindAsync(check, await house.MailingAsync(course))).Where(one => one.Code == "address.domain").ToList();
        Assert.Equal(["a@no.test", "c@null.test"], found.Select(one => one.Address));
        Assert.Contains("2 of the people (a@no.test, b@no.test)", found[0].English, StringComparison.Ordinal);
    }

    [Fact]
    public async Task From_is_to_be_one_that_receivers_can_prove()
    {
        await using var house = new MailingFixture();
        var course = await house.CourseAsync(1);
        var mailing = await house.MailingAsync(course);
        using (var check = Check(house, new TestZone()))
            Assert.Equal(["sender.spf", "sender.dkim", "sender.dmarc"], (await FindAsync(check, mailing)).Select(one => one.Code).Where(code => code.StartsWith("sender", StringComparison.Ordinal)));
        using (var check = Check(house, new TestZone().Add("example.test", new TestZone.Txt("v=spf1 mx -all")).Add("_dmarc.example.test", new TestZone.Txt("v=DMARC1; p=reject"))))
            Assert.Equal(["sender.dkim"], (await FindAsync(check, mailing)).Select(one => one.Code).Where(code => code.StartsWith("sender", StringComparison.Ordinal)));
    }

    /// <summary>Pages by their path, a connection each.</summary>
    sealed class Site : IAsyncDisposable
    {
        readonly TcpListener listener = new(IPAddress.Loopback, 0);
        readonly List<string> asked = [];
        readonly Task work;

        public Site()
        {
            listener.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/";
            work = RunAsync();
        }

        public string Url { get; }

        public IReadOnlyList<string> Asked { get { lock (asked) return [.. asked]; } }

        async Task RunAsync()
        {
            while (true)
            {
                try
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
                    var line = await reader.ReadLineAsync() ?? "";
                    while (await reader.ReadLineAsync() is { Length: > 0 }) { }
                    var words = line.Split(' ');
                    if (words.Length < 2) continue;
                    lock (asked) asked.Add($"{words[0]} {words[1]}");
                    var answer = (words[1], words[0]) switch
                    {
                        ("/head", "HEAD") => "405 No",
                        ("/loop", _) => "302 Found\r\nLocation: /loop",
                        ("/away", _) => "302 Found\r\nLocation: http://10.0.0.1/",
                        ("/moved", _) => "301 Moved\r\nLocation: good",
                        ("/closed", _) => "403 No",
                        ("/broken", _) => "500 Trouble",
                        ("/good" or "/head", _) => "200 OK",
                        _ => "404 None",
                    };
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
                }
                catch (IOException) { }
                catch (Exception e) when (e is SocketException or ObjectDisposedException) { return; }
            }
        }

        public async ValueTask DisposeAsync()
        {
            listener.Stop();
            await work;
        }
    }
}
