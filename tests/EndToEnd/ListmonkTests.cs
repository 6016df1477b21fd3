using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>A listmonk is taken over from its PostgreSQL and from a file that it has exported.</summary>
public sealed class ListmonkTests : IAsyncLifetime
{
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-listmonk-").FullName;
    readonly int port = FreePorts.One();
    TestServer server = null!;

    // the columns that matter, as listmonk 4 has them
    const string Schema = """
        CREATE TYPE subscriber_status AS ENUM ('enabled', 'disabled', 'blocklisted');
        CREATE TYPE subscription_status AS ENUM ('unconfirmed', 'confirmed', 'unsubscribed');
        CREATE TYPE list_optin AS ENUM ('single', 'double');
        CREATE TYPE content_type AS ENUM ('richtext', 'html', 'plain', 'markdown', 'visual');
        CREATE TYPE template_type AS ENUM ('campaign', 'campaign_visual', 'tx');
        CREATE TABLE subscribers (id serial PRIMARY KEY, uuid uuid NOT NULL DEFAULT gen_random_uuid(), email text NOT NULL UNIQUE, name text NOT NULL, attribs jsonb NOT NULL DEFAULT '{}', status subscriber_status NOT NULL DEFAULT 'enabled');
        CREATE TABLE lists (id serial PRIMARY KEY, name text NOT NULL, optin list_optin NOT NULL DEFAULT 'single');
        CREATE TABLE subscriber_lists (subscriber_id int, list_id int, meta jsonb NOT NULL DEFAULT '{}', status subscription_status NOT NULL DEFAULT 'unconfirmed', PRIMARY KEY (subscriber_id, list_id));
        CREATE TABLE templates (id serial PRIMARY KEY, name text NOT NULL, type template_type NOT NULL DEFAULT 'campaign', subject text NOT NULL DEFAULT '', body text NOT NULL);
        CREATE TABLE campaigns (id serial PRIMARY KEY, name text NOT NULL, subject text NOT NULL, body text NOT NULL, content_type content_type NOT NULL DEFAULT 'richtext', template_id int);
        INSERT INTO lists (name, optin) VALUES ('Algebra', 'single'), ('Chess', 'double');
        INSERT INTO subscribers (email, name, attribs, status) VALUES
          ('anna@x.test', 'Anna "A" Ivanova', '{"city": "Тула", "exam": {"room": 12}, "topics": ["a", "b"]}', 'enabled'), ('boris@x.test', 'Boris', '{}', 'enabled'),
          ('block@x.test', 'Block', '{}', 'blocklisted'), ('off@x.test', 'Off', '{}', 'disabled');
        INSERT INTO subscriber_lists (subscriber_id, list_id, status) VALUES (1, 1, 'unconfirmed'), (1, 2, 'unconfirmed'), (2, 1, 'unsubscribed'), (2, 2, 'confirmed'), (3, 1, 'confirmed'), (4, 1, 'confirmed');
        INSERT INTO templates (name, body) VALUES ('Frame', E'<html><body>{{ template "content" . }}\n<a href="{{ UnsubscribeURL }}">leave</a></body></html>');
        INSERT INTO campaigns (name, subject, body, content_type, template_id) VALUES
          ('Welcome', 'Hello {{ .Subscriber.Name }}', '<p>{{ if .Subscriber.Attribs.city }}{{ .Subscriber.Attribs.city }}{{ end }}</p>', 'richtext', 1), ('Today', 'Now', '<p>{{ Date "2006" }}</p>', 'html', NULL);
        """;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync("");
        await server.AddAccountsAsync("anna@school.test");
    }

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(folder, "db", "postmaster.pid"))) await PostgresAsync("pg_ctl", "-D", Path.Combine(folder, "db"), "-m", "immediate", "stop");
        await server.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }

    static string Program(string name) => System.IO.Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin", name)).Last(File.Exists);

    // it does not run as root
    static Task<Ran> PostgresAsync(string program, params string[] arguments) =>
        Environment.UserName == "root" ? Tool.RunAsync("runuser", ["-u", "postgres", "--", Program(program), .. arguments]) : Tool.RunAsync(Program(program), arguments);

    async Task<string> ImportAsync(params string[] more) => (await server.CliAsync(["listmonk", "import", "school.test", .. more])).Succeeded().All;

    [Fact]
    public async Task From_the_database_come_courses_people_suppressions_and_templates()
    {
        if (!System.IO.Directory.Exists("/usr/lib/postgresql")) Assert.Skip("PostgreSQL is not here");
        var (data, url) = (Path.Combine(folder, "db"), $"postgresql://listmonk@127.0.0.1:{port}/postgres");
        if (Environment.UserName == "root") (await Tool.RunAsync("chown", "postgres", folder)).Succeeded();
        (await PostgresAsync("initdb", "-D", data, "-U", "listmonk", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")).Succeeded();
        (await PostgresAsync("pg_ctl", "-D", data, "-l", Path.Combine(folder, "log"), "-o", $"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -F", "-w", "start")).Succeeded();
        (await Tool.RunAsync("psql", "-X", "-q", "-d", url, "-v", "ON_ERROR_STOP=1", "-c", Schema)).Succeeded();

        var would = await ImportAsync("--database", url, "--dry-run");
        foreach (var said in new[] { "Algebra: a course would be made, with 1 people.", "Chess: a course would be made, with 1 people.", "+ suppression of block@x.test", "template Welcome: added", "Nothing was done." }) Assert.Contains(said, would, StringComparison.Ordinal);
        Assert.DoesNotContain("Algebra", (await server.CliAsync("course", "list")).Succeeded().Output, StringComparison.Ordinal);

        var done = await ImportAsync("--database", url);
        foreach (var said in new[] { "1 suppressions added, 0 known.", "Today: left out; line 1: {{ Date \"2006\" }} has nothing like it here", "1 have unsubscribed from a list", "1 have not confirmed", "1 are disabled" }) Assert.Contains(said, done, StringComparison.Ordinal);
        var people = (await server.CliAsync("course", "participants", "algebra")).Succeeded().Output;
        Assert.Matches("anna@x.test +Anna \"A\" Ivanova +.*city=Тула.*exam_room=12.*topics=a; b", people);
        Assert.DoesNotContain("boris", people, StringComparison.Ordinal);
        Assert.Contains("boris@x.test", (await server.CliAsync("course", "participants", "chess")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("block@x.test", (await server.CliAsync("suppression", "list")).Succeeded().Output, StringComparison.Ordinal);
        var list = (await server.CliAsync("template", "list")).Succeeded().Output;
        Assert.Matches("Welcome +Hello {{name}}", list);

        var again = await ImportAsync("--database", url);
        foreach (var said in new[] { "0 added, 0 updated, 1 unchanged", "0 suppressions added, 1 known.", "template Welcome: unchanged" }) Assert.Contains(said, again, StringComparison.Ordinal);
        Assert.DoesNotContain("1 added", again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_it_exports_becomes_a_course()
    {
        var file = Path.Combine(folder, "subscribers.csv");
        await File.WriteAllTextAsync(file, "uuid,email,name,attributes,status,created_at,updated_at\nu1,anna@x.test,Anna,\"{\"\"city\"\": \"\"Tula\"\"}\",enabled,2024,2024\nu2,block@x.test,Block,{},blocklisted,2024,2024\nu3,bad@x.test,Bad,{oops,enabled,2024,2024\n");
        Assert.Contains("with 2 people", await ImportAsync(file, "--course", "Geometry", "--dry-run"), StringComparison.Ordinal);
        Assert.Contains("1 have attributes that are not JSON", await ImportAsync(file, "--course", "Geometry"), StringComparison.Ordinal);
        Assert.Contains("city=Tula", (await server.CliAsync("course", "participants", "geometry")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("0 added, 0 updated, 2 unchanged", await ImportAsync(file, "--course", "Geometry"), StringComparison.Ordinal);
    }
}
