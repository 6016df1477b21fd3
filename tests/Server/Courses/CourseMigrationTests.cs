using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Mailboxes;
using CbaMail.Mailings;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Courses;

/// <summary>Participants of before become persons and enrolments, and ledgers and Message-IDs still find them.</summary>
public sealed class CourseMigrationTests : IDisposable
{
    const int Before = 42;

    readonly string data = System.IO.Directory.CreateTempSubdirectory("cba-courses").FullName;

    public void Dispose() => System.IO.Directory.Delete(data, recursive: true);

    [Fact]
    public async Task Participants_become_persons_of_the_domain_in_the_default_run()
    {
        Old("""
            INSERT INTO course (id, slug, name, domain, language, columns, created) VALUES (1, 'algebra', 'Algebra', 'own.test', 'en', '["group"]', 1), (2, 'physics', 'Physics', 'own.test', 'en', '[]', 2), (3, 'music', 'Music', 'other.test', 'en', '[]', 3);
            INSERT INTO participant (id, course_id, address_key, address, name, fields, line, created) VALUES
                (1, 1, 'anna@own.test', 'Anna@own.test', 'Anna', '{"group":"A"}', 2, 10), (2, 1, 'boris@own.test', 'boris@own.test', '', '{"group":"B"}', 3, 10),
                (4, 2, 'boris@own.test', 'boris@own.test', 'Boris', '{}', 2, 20), (5, 2, 'anna@own.test', 'anna@own.test', 'Anna Petrova', '{}', 3, 20), (6, 3, 'anna@own.test', 'anna@own.test', 'Anna', '{}', 2, 30),
                (9, 1, 'gone@own.test', 'gone@own.test', 'Gone again', '{}', 4, 40);
            DELETE FROM participant WHERE id = 9;
            INSERT INTO participant (id, course_id, address_key, address, name, fields, line, created) VALUES (11, 1, 'gone@own.test', 'gone@own.test', 'Gone and back', '{}', 5, 50);
            INSERT INTO mailing (id, course_id, from_name, from_address, subject, state, created) VALUES (1, 1, '', 'dean@own.test', 's', 'sent', 1), (2, 2, '', 'dean@own.test', 's', 'sent', 1);
            INSERT INTO ledger (mailing_id, participant_id, address, name, fields, line, message_id, state, reply, attempts, at) VALUES
                (1, 1, 'Anna@own.test', 'Anna', '{}', 2, 'm1.1.aa@own.test', 'delivered', '', 0, 1), (1, 9, 'Gone@own.test', 'Gone', '{}', 4, 'm1.9.cc@own.test', 'delivered', '', 0, 1),
                (1, 3, 'left@own.test', 'Left', '{}', 4, 'm1.3.dd@own.test', 'delivered', '', 0, 1),
                (2, 5, 'anna@own.test', 'Anna Petrova', '{}', 3, 'm2.5.ee@own.test', 'delivered', '', 0, 1), (2, 4, 'boris@own.test', 'Boris', '{}', 2, 'm2.4.ff@own.test', 'delivered', '', 0, 1);
            """);

        await using var store = new Store(new Settings { Data = data }, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        using var read = store.Read();
        var algebra = CourseTable.Find(read, "algebra")!;
        Assert.Equal(3, algebra.Participants);
        Assert.Equal(["Anna@own.test|Anna Petrova|{\"group\":\"A\"}|2", "boris@own.test|Boris|{\"group\":\"B\"}|3", "gone@own.test|Gone and back|{}|5"],
            CourseTable.Participants(read, algebra.Id, 0, 10).Select(one => $"{one.Address}|{one.Name}|{one.Fields}|{one.Line}"));
        var run = Assert.Single(RunTable.List(read, algebra.Id));
        Assert.Equal((Run.DefaultSlug, 3), (run.Slug, run.People));

        // a person is one a domain: Anna of algebra and of physics, but not her of music
        var physics = CourseTable.Participants(read, CourseTable.Find(read, "physics")!.Id, 0, 10);
        Assert.Equal([2L, 1L], physics.Select(one => one.Id));
        Assert.Equal(6, CourseTable.Participants(read, CourseTable.Find(read, "music")!.Id, 0, 10).Single().Id);

        // ledgers name the person, whoever was removed too, and what was sent under an old number is found by it
        Assert.Equal([1L, 3L, 11L], LedgerTable.Rows(read, 1, 0, 10).Select(row => row.PersonId).Order());
        Assert.Equal([1L, 2L], LedgerTable.Rows(read, 2, 0, 10).Select(row => row.PersonId).Order());
        Assert.Equal("anna@own.test", CopyTable.Find(read, "m2.5.ee@own.test")!.Address);
        Assert.Equal("Gone@own.test", CopyTable.Find(read, "m1.9.cc@own.test")!.Address);
        Assert.Equal("left@own.test", CopyTable.Find(read, "m1.3.dd@own.test")!.Address);

        // a number that was given away once is not given again
        using var next = read.Prepare("SELECT seq FROM sqlite_sequence WHERE name = 'person'");
        Assert.True(next.Step());
        Assert.True(next.Int64(0) >= 11);
    }

    [Fact]
    public async Task An_empty_database_is_taken_over_too()
    {
        Old("INSERT INTO course (id, slug, name, domain, language, columns, created) VALUES (1, 'algebra', 'Algebra', 'own.test', 'en', '[]', 1);");
        await using var store = new Store(new Settings { Data = data }, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        using var read = store.Read();
        Assert.Equal(0, Assert.Single(RunTable.List(read, 1)).People);
    }

    /// <summary>A database of the schema before, with these rows.</summary>
    void Old(string rows)
    {
        using var connection = new SqliteConnection(Path.Combine(data, "cbamail.db"), readOnly: false);
        var files = typeof(Migrations).Assembly.GetManifestResourceNames().Where(name => name.Contains(".Schema.", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        foreach (var name in files.Where(name => int.Parse(name.Split(".Schema.")[1].TrimStart('_')[..4], System.Globalization.CultureInfo.InvariantCulture) <= Before))
        {
            using var reader = new StreamReader(typeof(Migrations).Assembly.GetManifestResourceStream(name)!);
            connection.Execute(reader.ReadToEnd());
        }
        connection.Execute(rows);
        connection.Execute($"PRAGMA user_version={Before}");
    }
}
