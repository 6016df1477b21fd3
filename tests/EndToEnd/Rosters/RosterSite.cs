using System.Net;
using System.Text.Json;
using CbaMail.Tests.House;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.EndToEnd.Rosters;

/// <summary>A server with the course algebra, and a campus beside it (python/campus.py) that says what the test tells it.</summary>
internal sealed class RosterSite : IAsyncDisposable
{
    private readonly string state = Path.Combine(System.IO.Directory.CreateTempSubdirectory("cbamail-campus-").FullName, "state.json");
    private readonly int port = FreePorts.One();
    private Daemon? campus;

    private RosterSite(TestServer server) => Server = server;

    public TestServer Server { get; }
    public string Campus => $"http://127.0.0.1:{port}";
    public string Jwks => $"http://127.0.0.1:{Server.Http}/api/v1/lti/jwks";
    public string[] Asked => File.Exists(state + ".log") ? File.ReadAllLines(state + ".log") : [];

    public static async Task<RosterSite> StartAsync(object said, string settings = "")
    {
        var site = new RosterSite(await TestServer.StartAsync(settings));
        site.Tell(said);
        site.campus = await Daemon.StartAsync(new IPEndPoint(IPAddress.Loopback, site.port), () => "", "python3", Path.Combine(Repository.Root, "tests/EndToEnd/python/campus.py"), $"{site.port}", site.state);
        await site.CourseAsync();
        return site;
    }

    public static async Task<RosterSite> OfAsync(TestServer server)
    {
        var site = new RosterSite(server);
        await site.CourseAsync();
        return site;
    }

    private async Task CourseAsync()
    {
        await Server.CliAsync("domain", "add", "example.test");
        await RunAsync("course", "add", "Algebra", "--domain", "example.test", "--language", "en");
        await RunAsync("run", "add", "algebra", "Spring");
    }

    public void Tell(object said)
    {
        File.WriteAllText(state + ".new", JsonSerializer.Serialize(said));
        File.Move(state + ".new", state, overwrite: true);
    }

    public async Task<string> RunAsync(params string[] verb) => (await Server.CliAsync(verb)).Succeeded().Output.Trim();

    /// <summary>Everybody in the run, a line each: address, role, status, groups.</summary>
    public async Task<string[]> PeopleAsync()
    {
        var rows = JsonDocument.Parse(await RunAsync("course", "people", "algebra", "--run", "spring", "--json")).RootElement;
        return [.. rows.EnumerateArray().Select(one => $"{Text(one, "address")} {Text(one, "role")} {Text(one, "status")} {string.Join(';', one.GetProperty("groups").EnumerateArray().Select(group => group.GetString()))}".TrimEnd())];
    }

    private static string? Text(JsonElement one, string name) => one.GetProperty(name).GetString();

    public async ValueTask DisposeAsync()
    {
        if (campus is not null) // else the server is somebody else's
        {
            await campus.DisposeAsync();
            await Server.DisposeAsync();
        }
        System.IO.Directory.Delete(Path.GetDirectoryName(state)!, recursive: true);
    }
}
