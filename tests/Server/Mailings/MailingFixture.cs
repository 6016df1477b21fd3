using System.Globalization;
using System.Text;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mailings;
using CbaMail.Mailings.Schedules;
using CbaMail.Queue;
using CbaMail.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

/// <summary>A vault, a directory with the domain example.test, a queue and the press room, in a directory of their own.</summary>
public sealed class MailingFixture : IAsyncDisposable
{
    readonly TimeProvider time;
    readonly string data = System.IO.Directory.CreateTempSubdirectory("cba-mailing").FullName;

    public MailingFixture(int piece = 7, TimeProvider? clock = null, MailingSettings? mailings = null)
    {
        time = clock ?? TimeProvider.System;
        Settings = new Settings { Data = data, Mailings = mailings ?? new MailingSettings { Piece = piece } };
        Open();
    }

    public Settings Settings { get; }
    public Store Store { get; private set; } = null!;
    public MailStore Mail { get; private set; } = null!;
    public UserDirectory Users { get; private set; } = null!;
    public MailQueue Queue { get; private set; } = null!;
    public CourseRegister Courses { get; private set; } = null!;
    public RunBook Runs { get; private set; } = null!;
    public Enrolments Enrolments { get; private set; } = null!;
    public AudienceBook Audiences { get; private set; } = null!;
    public PressRoom Press { get; private set; } = null!;
    public Timetable Timetable { get; private set; } = null!;
    public MailingRun Run { get; private set; } = null!;
    public string Data => data;

    void Open()
    {
        Store = new Store(Settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        Mail = new MailStore(Store, Settings, new Notifier(), time);
        Users = new UserDirectory(Store, time);
        MailboxesRoom.Attach(Mail, Users);
        Queue = new MailQueue(Store, Mail, time, Settings);
        var files = new MailingFiles(Store);
        Courses = new CourseRegister(Store, Users, Settings, time);
        Runs = new RunBook(Store, Users, time);
        Enrolments = new Enrolments(Store, Settings, time);
        Audiences = new AudienceBook(Store, time);
        Press = new PressRoom(Store, Mail, Queue, Users, files, Settings, time);
        Timetable = new Timetable(Store, Press, Queue, time);
        Run = new MailingRun(Press, Mail, Queue, Users, Settings, time, NullLogger<MailingRun>.Instance);
    }

    /// <summary>As after kill -9 between two commits: everything in memory is gone.</summary>
    public async Task RestartAsync()
    {
        Run.Dispose();
        await Store.DisposeAsync();
        Open();
    }

    /// <summary>A course with this many local people (u1 …), each with a mailbox, and further rows as given.</summary>
    public async Task<Course> CourseAsync(int people, string more = "", string columns = "group", Func<int, string>? fields = null)
    {
        await Users.AddDomainAsync("example.test");
        await Users.AddAccountsAsync([.. Enumerable.Range(1, people).Select(i => new NewAccount($"u{i}@example.test", $"Участник {i}"))]);
        var course = Ok(await Courses.AddAsync("Основы", "example.test", null, default));
        var file = new StringBuilder($"address,name,{columns}\n");
        for (var i = 1; i <= people; i++) file.Append(CultureInfo.InvariantCulture, $"u{i}@example.test,Участник {i},{fields?.Invoke(i) ?? $"Б-{i % 3}"}\n");
        Ok(await Courses.ImportAsync(course.Slug, Encoding.UTF8.GetBytes(file + more), default));
        return Ok(Courses.Find(course.Slug));
    }

    public async Task<long> MailingAsync(Course course, string subject = "Для {{name}}", string? html = "<p>Здравствуйте, {{name}}! Группа {{group}}.</p>", string? text = null, params NewFile[] files) =>
        Ok(await Press.CreateAsync(new(course.Slug, "Учебный центр <school@example.test>", subject, html, text, files), default)).Id;

    public async Task SendAsync(long id, bool skipInvalid = false)
    {
        var outcome = await Press.SendAsync(id, skipInvalid, default);
        Assert.True(outcome.Refusal is null, outcome.Refusal?.Sentence);
    }

    public LedgerCounts Counts(long id) => Ok(Press.Status(id)).Counts;
    public MailingState State(long id) => Ok(Press.Find(id)).State;
    public IReadOnlyList<LedgerRow> Ledger(long id) => Ok(Press.Lines(id, 0, int.MaxValue));

    /// <summary>The messages in somebody's INBOX, whole.</summary>
    public IReadOnlyList<string> Inbox(string address)
    {
        Assert.True(MailAddress.TryParse(address, out var parsed));
        using var read = Mail.Read();
        var inbox = read.Find(Users.FindAccount(parsed)!.Id, "INBOX")!;
        return [.. read.Messages(inbox.Id).Select(row => read.Content(inbox.Id, row)!).Select(content => Encoding.UTF8.GetString(content.Read(0, (int)content.Size)))];
    }

    public static T Ok<T>(Result<T> result)
    {
        Assert.True(result.Ok, result.Refusal?.Sentence);
        return result.Value!;
    }

    public async ValueTask DisposeAsync()
    {
        Run.Dispose();
        await Store.DisposeAsync();
        System.IO.Directory.Delete(data, recursive: true);
    }
}
