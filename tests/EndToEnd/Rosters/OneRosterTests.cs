using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text.Json;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd.Rosters;

/// <summary>A OneRoster file is taken in by the command line and by HTTP.</summary>
public sealed class OneRosterTests : IAsyncLifetime
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-oneroster-").FullName;
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync("");
        await server.AddAccountsAsync("anna@school.test");
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }

    string Zip(string enrolments)
    {
        var file = Path.Combine(folder, "school.zip");
        File.Delete(file);
        using var zip = ZipFile.Open(file, ZipArchiveMode.Create);
        void Put(string name, string text)
        {
            using var writer = new StreamWriter(zip.CreateEntry(name + ".csv").Open());
            writer.Write(text);
        }
        Put("manifest", "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.academicSessions,bulk\nfile.classes,bulk\nfile.courses,bulk\nfile.enrollments,bulk\nfile.users,bulk\n");
        Put("academicSessions", "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\nt1,,,Spring,term,2027-02-01,2027-06-01,,2027\n");
        Put("courses", "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId\nc1,,,t1,Algebra,ALG,,o1\n");
        Put("classes", "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds\nk1,,,Algebra 1A,,c1,,scheduled,,o1,t1\n");
        Put("users", "sourcedId,status,dateLastModified,enabledUser,givenName,familyName,email,agentSourcedIds,role\nanna,,,true,Anna,Ivanova,anna@school.test,,teacher\nboris,,,true,Boris,Petrov,boris@elsewhere.test,,student\n");
        Put("enrollments", "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n" + enrolments);
        return file;
    }

    const string Both = "e1,,,k1,o1,anna,teacher,true,,\ne2,,,k1,o1,boris,student,,,\n";

    async Task<string> ImportAsync(string file, params string[] more) => (await server.CliAsync(["roster", "import", file, "--domain", "school.test", .. more])).Succeeded().All;

    async Task<string> PeopleAsync() => (await server.CliAsync("course", "people", "algebra", "--run", "algebra-1a")).Succeeded().Output;

    [Fact]
    public async Task The_command_line_shows_what_a_file_would_do_and_does_it_once()
    {
        var file = Zip(Both);
        Assert.Contains("Algebra 1A: made, a new run", await ImportAsync(file, "--dry-run"), StringComparison.Ordinal);
        Assert.DoesNotContain("Algebra", (await server.CliAsync("course", "list")).Succeeded().Output, StringComparison.Ordinal);
        var done = await ImportAsync(file);
        Assert.Contains("Algebra 1A: made, algebra / algebra-1a", done, StringComparison.Ordinal);
        Assert.Contains("2 added", done, StringComparison.Ordinal);
        Assert.Contains("boris@elsewhere.test", await PeopleAsync(), StringComparison.Ordinal);
        var again = await ImportAsync(file, "--end-missing");
        Assert.Contains("Algebra 1A: unchanged", again, StringComparison.Ordinal);
        Assert.Contains("0 added, 0 updated, 2 unchanged", again, StringComparison.Ordinal);
        Assert.Contains("- boris@elsewhere.test", await ImportAsync(Zip("e1,,,k1,o1,anna,teacher,true,,\n"), "--end-missing", "--dry-run"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task By_HTTP_it_does_the_same_and_refuses_what_is_no_such_file()
    {
        using var control = server.Control();
        async Task<(int Status, JsonElement Answer)> AskAsync(string query, byte[] file)
        {
            using var body = new ByteArrayContent(file) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } };
            using var response = await control.PostAsync("/api/v1/oneroster" + query, body);
            return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.Clone());
        }
        var file = await File.ReadAllBytesAsync(Zip(Both));
        var (status, would) = await AskAsync("?domain=school.test&dry-run=true", file);
        Assert.Equal((200, "made"), (status, Assert.Single(would.GetProperty("classes").EnumerateArray()).GetProperty("deed").GetString()));
        var (_, done) = await AskAsync("?domain=school.test", file);
        Assert.Equal("algebra-1a", Assert.Single(done.GetProperty("classes").EnumerateArray()).GetProperty("run").GetString());
        var (_, again) = await AskAsync("?domain=school.test", file);
        Assert.Equal("unchanged", Assert.Single(again.GetProperty("classes").EnumerateArray()).GetProperty("deed").GetString());
        Assert.InRange((await AskAsync("?domain=school.test", "no zip"u8.ToArray())).Status, 400, 499);
        Assert.InRange((await AskAsync("?domain=nowhere.test", file)).Status, 400, 499);
    }
}
