using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>A letter that came to an address of a course.</summary>
/// <param name="SignedIn">Whose account sends it, or null.</param>
/// <param name="Proven">The From domain, where SPF or a signature proves it; or null.</param>
public sealed record CourseMail(MailAddress? ReversePath, ReadOnlyMemory<byte> Message, Account? SignedIn, string? Proven, bool Junk, string Arrival);

/// <summary>
/// Addresses of runs: a teacher or an assistant writes to one, and it goes to everybody in the run as a mailing, with a ledger. A letter is acknowledged
/// when its mailing stands as a draft with a row that says what is to become of it; the mailing itself is sent behind that, once, whatever is cut off.
/// </summary>
public sealed class CourseAddresses
{
    const int MostHeld = 100, MostApprovers = 50, MostShown = 500;

    readonly Store store;
    readonly UserDirectory directory;
    readonly PressRoom press;
    readonly RunBook runs;
    readonly MailStore mail;
    readonly MailQueue queue;
    readonly Settings settings;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<string, long> known = new(StringComparer.Ordinal);
    readonly SemaphoreSlim waiting = new(0);

    public CourseAddresses(Store store, UserDirectory directory, PressRoom press, RunBook runs, MailStore mail, MailQueue queue, Settings settings, TimeProvider time)
    {
        (this.store, this.directory, this.press, this.runs, this.mail, this.queue, this.settings, this.time) = (store, directory, press, runs, mail, queue, settings, time);
        using (var read = store.Read())
            foreach (var one in CourseAddressTable.All(read)) known[one.Address.Key] = one.Id;
        var others = directory.IsServed;
        directory.IsServed = address => others?.Invoke(address) == true || Serves(address);
    }

    // ---- the addresses

    public bool Serves(MailAddress address) => !known.IsEmpty && (known.ContainsKey(address.Key) || Parse(address) is not null);

    // course-run-accept+TOKEN
    (MailAddress Address, bool Accepts, string Token)? Parse(MailAddress address)
    {
        var plus = address.LocalPart.IndexOf('+', StringComparison.Ordinal);
        if (plus < 0 || address.LocalPart.Length - plus > 65) return null;
        var (local, token) = (address.LocalPart[..plus], address.LocalPart[(plus + 1)..]);
        foreach (var (end, accepts) in new[] { ("-accept", true), ("-reject", false) })
            if (local.EndsWith(end, StringComparison.OrdinalIgnoreCase) && known.ContainsKey((address with { LocalPart = local[..^end.Length] }).Key)) return (address with { LocalPart = local[..^end.Length] }, accepts, token);
        return null;
    }

    public IReadOnlyList<CourseAddress> List(Course course)
    {
        using var read = store.Read();
        return CourseAddressTable.All(read, course.Id);
    }

    /// <summary>Gives a run an address, or changes what holds for it.</summary>
    /// <param name="approval">Whose mail waits: none, assistants, all.</param>
    public async ValueTask<Result<CourseAddress>> PutAsync(Course course, Run run, string address, string? approval, IReadOnlyList<string>? approvers, CancellationToken cancel)
    {
        if (!Names.TryAddress(address, out var normal)) return Refusal.BadAddress.Because($"\"{ParticipantFile.OneLine(address)}\" is not a valid address").At("address");
        if (normal.Domain != course.Domain || directory.FindDomain(normal.Domain) is not { AliasOf: null } domain) return Refusal.Invalid.Because($"The address of a run is one of the course's domain, {course.Domain}").At("address");
        if (normal.LocalPart.Length > 40 || normal.LocalPart.Contains('+', StringComparison.Ordinal)) return Refusal.Invalid.Because("The address of a run has at most 40 characters before the @, and no \"+\"").At("address");
        if (approval is not (null or "none" or "assistants" or "all")) return Refusal.Invalid.Because("What waits for an approver is nothing, what assistants write, or all: none, assistants, all").At("approval");
        if (approvers?.Count > MostApprovers) return Refusal.Invalid.Because($"An address has at most {MostApprovers} approvers").At("approvers");
        foreach (var one in approvers ?? [])
            if (!Names.TryAddress(one, out _)) return Refusal.BadAddress.Because($"\"{ParticipantFile.OneLine(one)}\" is not a valid address").At("approvers");
        return await store.CommitAsync<Result<CourseAddress>>(write =>
        {
            var old = CourseAddressTable.Find(write.Prepare, normal);
            if (old is null ? DirectoryTable.IsTaken(write, domain.Id, normal.LocalPart) : old.CourseId != course.Id) return Refusal.AlreadyExists.Because($"The address {normal} is taken already");
            CourseAddressTable.Put(write, new(0, domain.Id, normal, course.Id, course.Slug, run.Id, run.Slug, approval ?? old?.Approval ?? "assistants",
                approvers is null ? old?.Approvers ?? [] : [.. approvers.Select(one => Names.TryAddress(one, out var whole) ? whole.ToString() : one)], time.GetUtcNow()));
            var now = CourseAddressTable.Find(write.Prepare, normal)!;
            write.OnCommitted(() => known[normal.Key] = now.Id);
            return now;
        }, cancel);
    }

    public async ValueTask<Refusal?> RemoveAsync(Course course, string address, CancellationToken cancel) => await store.CommitAsync<Refusal?>(write =>
    {
        if (!Names.TryAddress(address, out var normal) || CourseAddressTable.Find(write.Prepare, normal) is not { } one || one.CourseId != course.Id) return Refusal.NoSuchThing.Because($"The course {course.Slug} has no address {ParticipantFile.OneLine(address)}; list them with: cbamail course addresses {course.Slug}");
        CourseAddressTable.Remove(write, one.Id);
        write.OnCommitted(() => known.TryRemove(normal.Key, out _));
        return null;
    }, cancel);

    /// <summary>What was written to the addresses of a course, newest first.</summary>
    public IReadOnlyList<CoursePost> Posts(Course course)
    {
        using var read = store.Read();
        return CourseAddressTable.OfCourse(read, course.Id, MostShown);
    }

    // ---- letters to them

    static readonly Refusal NotHeld = Refusal.Conflict.Because("Nothing waits here any more: somebody has decided on it");

    /// <summary>Takes a letter. When the task completes with null, it is durable what becomes of it.</summary>
    public async ValueTask<Refusal?> TakeAsync(MailAddress to, CourseMail letter, CancellationToken cancel)
    {
        var header = HeaderList.Parse(letter.Message.Span);
        // RFC 3834 2: programs answer, and nobody learns anything of that
        if (letter.ReversePath is null || header.Value("Auto-Submitted") is { } auto && !auto.Trim().Equals("no", StringComparison.OrdinalIgnoreCase) || header.Find("List-Id") is not null || header.Value("Precedence")?.Trim().ToLowerInvariant() is "bulk" or "list" or "junk" or "auto_reply") return null;
        if (letter.Junk) return Refusal.NotPermitted.Because("This address takes no junk");
        if (Parse(to) is var (of, accepts, token))
        {
            using var read = store.Read();
            return CourseAddressTable.Find(read.Prepare, of) is { } place && CourseAddressTable.FindHeld(read.Prepare, Digest(token)) is { } held && held.AddressId == place.Id ? await DecideAsync(held.Id, accepts, cancel) : NotHeld;
        }
        CourseAddress? address;
        using (var read = store.Read()) address = CourseAddressTable.Find(read.Prepare, to);
        if (address is null) return Refusal.NoSuchUser;
        if (header.Addresses("From").Mailboxes.ToList() is not [var from] || !MailAddress.TryParse(from.Address, out var author)) return Refusal.NotPermitted.Because("A letter to a course has one author in From");
        if (!(letter.SignedIn is { } account ? directory.MaySendAs(account, author) : letter.Proven == author.DomainKey)) return Refusal.NotPermitted.Because("Nothing proves that the letter is from this author; sign in to send it");
        if (RoleOf(address, author, letter.SignedIn) is not { } role) return Refusal.NotPermitted.Because("Only teachers and assistants of the run may write to this address");
        var id = header.Find("Message-ID") is { } field && MessageId.Parse(field.Raw.Span) is { Length: > 0 and <= 900 } given ? given : Convert.ToHexStringLower(SHA256.HashData(letter.Message.Span));
        using (var read = store.Read())
            if (CourseAddressTable.Exists(read.Prepare, address.Id, id)) return null;
        var name = new string([.. from.Name.Where(c => c is not ('"' or '<' or '>' or ',') && !char.IsControl(c))]).Trim();
        // another domain's name would be refused as forged (DMARC): the run's own address with his name
        var elsewhere = directory.FindDomain(author.Domain) is null;
        var sender = elsewhere ? address.Address : author;
        var wanted = CourseLetter.Read(letter.Message.Span, address, name.Length > 0 ? $"{name} <{sender}>" : sender.ToString());
        if (!wanted.Ok) return wanted.Refusal;
        var waits = address.Approval == "all" || address.Approval == "assistants" && role == CourseRole.Assistant;
        var made = await press.CreateAsync(wanted.Value with { Author = author.Key, ReplyTo = elsewhere ? name.Length > 0 ? $"{name} <{author}>" : author.ToString() : null }, cancel);
        if (!made.Ok) return made.Refusal;
        var word = Base32(RandomNumberGenerator.GetBytes(16));
        var subject = header.Value("Subject")!.Trim();
        var post = new CoursePost(0, address.Id, id, made.Value.Id, author.ToString(), subject.Length > 500 ? subject[..500] : subject, waits ? "held" : "sending", "", time.GetUtcNow());
        var approvers = waits ? Approvers(address, author) : [];
        using var ask = waits ? mail.Stage(Ask(address, post, word, wanted.Value)) : null;
        return await store.CommitAsync<Refusal?>(write =>
        {
            if (waits && CourseAddressTable.CountHeld(write, address.Id) >= MostHeld) return Refusal.TooMany.Because("Too many letters wait for the approvers of this address; try again later");
            if (!CourseAddressTable.Add(write, post, waits ? Digest(word) : null)) return null; // it came twice at the same time
            if (ask is not null) Enqueue(write, ask, approvers);
            else write.OnCommitted(() => waiting.Release());
            return null;
        }, cancel);
    }

    CourseRole? RoleOf(CourseAddress address, MailAddress author, Account? signedIn)
    {
        using var read = store.Read();
        foreach (var key in new[] { author.Key, signedIn?.Address.Key })
            if (key is not null && PersonTable.Find(read.Prepare, address.Address.Domain, key) is { } person && PersonTable.Find(read.Prepare, address.RunId, person.Id) is { Role: CourseRole.Teacher or CourseRole.Assistant } enrolment && enrolment.IsActive(Today(address))) return enrolment.Role;
        return null;
    }

    DateOnly Today(CourseAddress address)
    {
        using var read = store.Read();
        var zone = RunTable.Find(read, address.CourseId, address.Run)?.Zone;
        return DateOnly.FromDateTime((zone is not null && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var known) ? TimeZoneInfo.ConvertTime(time.GetUtcNow(), known) : time.GetUtcNow()).DateTime);
    }

    /// <summary>Those named, else the teachers of the run but himself, else the administrator.</summary>
    List<MailAddress> Approvers(CourseAddress address, MailAddress author)
    {
        var named = address.Approvers.Select(text => MailAddress.TryParse(text, out var one) ? one : null).OfType<MailAddress>().ToList();
        if (named.Count > 0) return named;
        using var read = store.Read();
        var today = Today(address);
        named = [.. PersonTable.OfCourse(read, address.CourseId).Where(one => one.RunId == address.RunId && one.Role == CourseRole.Teacher && one.IsActive(today)).Select(one => MailAddress.TryParse(one.Person.Address, out var parsed) ? parsed : null)
            .OfType<MailAddress>().Where(one => one.Key != author.Key).Take(MostApprovers)];
        return named.Count > 0 ? named : [address.Address with { LocalPart = "postmaster" }];
    }

    // ---- deciding

    /// <summary>The letter that a link speaks of, or null.</summary>
    public (CourseAddress Address, CoursePost Post)? FindHeld(string token)
    {
        using var read = store.Read();
        return CourseAddressTable.FindHeld(read.Prepare, Digest(token)) is { } post && CourseAddressTable.Find(read.Prepare, post.AddressId) is { } address ? (address, post) : null;
    }

    /// <summary>The letter with the number, where it is one to this course.</summary>
    public Result<CoursePost> Find(Course course, long id)
    {
        using var read = store.Read();
        return CourseAddressTable.FindPost(read.Prepare, id) is { } post && CourseAddressTable.Find(read.Prepare, post.AddressId)?.CourseId == course.Id ? post : Refusal.NoSuchThing.Because($"There is no letter {id} to the course {course.Slug}; list them with: cbamail course posts {course.Slug}");
    }

    /// <summary>Sends what waits, or drops it; its author is told of a refusal.</summary>
    public async ValueTask<Refusal?> DecideAsync(long id, bool accept, CancellationToken cancel)
    {
        CoursePost? post;
        CourseAddress? address;
        using (var read = store.Read()) (post, address) = CourseAddressTable.FindPost(read.Prepare, id) is { } found ? (found, CourseAddressTable.Find(read.Prepare, found.AddressId)) : default;
        if (post is null || address is null) return NotHeld;
        using var letter = accept ? null : mail.Stage(Tell(address, post, address.Address.LocalPart, "rejected", ""));
        var done = await store.CommitAsync(write =>
        {
            if (!CourseAddressTable.SetState(write, id, "held", accept ? "sending" : "rejected")) return false;
            // an approver has read it: no other is asked
            if (accept) Approvals.ApprovalTable.Put(write, new(post.Mailing, "approved", new Dictionary<string, string>(), 0, post.Author, post.Taken, "", address.Address.ToString(), time.GetUtcNow(), ""));
            if (letter is not null && MailAddress.TryParse(post.Author, out var author)) Enqueue(write, letter, [author]);
            write.OnCommitted(() => waiting.Release());
            return true;
        }, cancel);
        if (done && !accept) await press.CancelAsync(post.Mailing, cancel);
        return done ? null : NotHeld;
    }

    // ---- sending

    /// <summary>Sends the mailings of what was taken. One that began to be sent before a cut is not begun again: a mailing is sent once.</summary>
    internal async Task GoOnAsync(CancellationToken cancel)
    {
        List<CoursePost> open;
        using (var read = store.Read()) open = CourseAddressTable.In(read, "sending");
        foreach (var post in open)
        {
            var why = "";
            var found = press.Find(post.Mailing);
            if (!found.Ok) why = found.Refusal.Sentence;
            else if (found.Value.State == MailingState.Draft && (await press.SendAsync(post.Mailing, skipInvalid: true, cancel)).Refusal is { } refusal) why = refusal.Sentence;
            CourseAddress? address;
            using (var read = store.Read()) address = CourseAddressTable.Find(read.Prepare, post.AddressId);
            using var letter = why.Length > 0 && address is not null ? mail.Stage(Tell(address, post, address.Address.LocalPart, "failed", why)) : null;
            await store.CommitAsync(write =>
            {
                if (CourseAddressTable.SetState(write, post.Id, "sending", why.Length > 0 ? "failed" : "sent", why) && letter is not null && MailAddress.TryParse(post.Author, out var author)) Enqueue(write, letter, [author]);
                return true;
            }, cancel);
        }
    }

    internal Task WaitAsync(TimeSpan most, CancellationToken cancel) => waiting.WaitAsync(most, cancel);

    // ---- what is written to them

    void Enqueue(WriteTransaction write, StagedMessage letter, IReadOnlyList<MailAddress> to)
    {
        write.BodiesFirst();
        queue.Enqueue(write, new NewQueueEntry(null, mail.AddContent(write, letter), [.. to.Select(address => new QueueRecipient(address, "NEVER"))], EightBit: true, Class: MailClass.Transactional) { MessageId = letter.MessageId });
    }

    bool IsRussian(CourseAddress address)
    {
        using var read = store.Read();
        return CourseTable.Get(read, address.CourseId)?.Language == "ru";
    }

    byte[] Ask(CourseAddress address, CoursePost post, string token, NewMailing letter)
    {
        var (russian, root) = (IsRussian(address), settings.Admission.Root(settings));
        var (yes, no) = (address.Address with { LocalPart = $"{address.Address.LocalPart}-accept+{token}" }, address.Address with { LocalPart = $"{address.Address.LocalPart}-reject+{token}" });
        var text = (letter.Text ?? HtmlText.ToPlainText(letter.Html ?? "")).Replace("\\{{", "{{", StringComparison.Ordinal);
        if (text.Length > 20_000) text = text[..20_000] + "…";
        var files = letter.Files.Count == 0 ? "" : (russian ? "\nФайлы: " : "\nFiles: ") + string.Join(", ", letter.Files.Select(file => file.Name)) + "\n";
        return Write(address, yes, russian ? $"Ждёт одобрения: {post.Subject}" : $"Waits for your approval: {post.Subject}", russian
            ? $"{post.Author} пишет всему потоку {address.Run} курса {address.Course}. Письмо уйдёт рассылкой {post.Mailing}, когда вы его одобрите.\n\nОдобрить: ответьте на это письмо.\nОтклонить: напишите на {no}\nИли откройте: {root}/course-letter/{token}?lang=ru\n{files}\n----------\n\n{text}\n"
            : $"{post.Author} writes to everybody in the run {address.Run} of the course {address.Course}. It goes out as mailing {post.Mailing} once you approve it.\n\nTo approve it, answer this letter.\nTo reject it, write to {no}\nOr open {root}/course-letter/{token}?lang=en\n{files}\n----------\n\n{text}\n", address.Address.ToString());
    }

    byte[] Tell(CourseAddress address, CoursePost post, string from, string what, string why) => Write(address, address.Address with { LocalPart = from }, IsRussian(address) ? $"Не отправлено: {post.Subject}" : $"Not sent: {post.Subject}", (what, IsRussian(address)) switch
    {
        ("rejected", true) => $"Ваше письмо «{post.Subject}» на {address.Address} отклонено и не будет отправлено.\n",
        ("rejected", false) => $"Your letter \"{post.Subject}\" to {address.Address} was rejected, and is not sent.\n",
        (_, true) => $"Ваше письмо «{post.Subject}» на {address.Address} отправить не удалось: {why}.\n\nОно осталось черновиком, рассылка {post.Mailing}.\n",
        _ => $"Your letter \"{post.Subject}\" to {address.Address} could not be sent: {why}.\n\nIt is kept as a draft, mailing {post.Mailing}.\n",
    }, post.Author);

    byte[] Write(CourseAddress address, MailAddress from, string subject, string text, string to)
    {
        var message = new MessageBuilder { From = (address.Course, from.ToString()), Subject = subject, Text = text, Date = time.GetUtcNow(), MessageId = $"{Guid.NewGuid():N}@{address.Address.Domain}" };
        message.To.Add(("", to));
        message.Headers.Add(("Auto-Submitted", "auto-generated")); // RFC 3834 5
        var output = new ArrayBufferWriter<byte>(4096);
        message.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }

    static byte[] Digest(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token.ToLowerInvariant()));

    static string Base32(byte[] bytes) => BounceAddresses.Base32(bytes);
}

/// <summary>Sends what was taken for the addresses of courses.</summary>
sealed class CourseAddressRunner(CourseAddresses addresses, ILogger<CourseAddressRunner> log) : BackgroundService
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try { await addresses.GoOnAsync(stoppingToken); }
            catch (Exception error) when (StoreTrouble.Of(error) is not null) { } // the store has told the log; soon again
            catch (Exception error) when (error is not OperationCanceledException) { MailingsTelemetry.CourseLetters(log, error); }
            await addresses.WaitAsync(Look, stoppingToken);
        }
    }
}
