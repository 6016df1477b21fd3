using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Federation.Ldap;
using CbaMail.Inbound;
using CbaMail.Net;
using CbaMail.Net.Dns;
using CbaMail.Queue;
using CbaMail.Storage;
using CbaMail.Tls;
using CbaMail.Tls.Acme;

namespace CbaMail.Http;

/// <summary>One part of the server.</summary>
/// <param name="Russian">The detail for a page that is read in Russian; null where only English is known, as for surprises.</param>
public sealed record PartHealth(string Name, bool Healthy, string Detail, [property: JsonIgnore] string? Russian = null);

/// <summary>How the server is, as <c>status</c>, /healthz and the status page tell it.</summary>
/// <param name="Uptime">Seconds.</param>
/// <param name="Memory">Resident bytes.</param>
public sealed record HealthReport(
    bool Healthy, string Version, string Hostname, bool Evaluation, long Uptime, long Memory, int Domains, int Accounts,
    QueueCounts Queue, DiskSpace Disk, IReadOnlyList<PartHealth> Parts);

/// <param name="Data">Bytes that the data directory takes.</param>
/// <param name="Packs">Pack files.</param>
/// <param name="PackBytes">Bytes of them, mail and garbage.</param>
/// <param name="DeadBytes">Bytes of them that belong to no mail any more and come back by themselves.</param>
public sealed record DiskSpace(long Free, long Total, long Data, int Packs, long PackBytes, long DeadBytes);

/// <summary>Looks after every part: reads and writes the store, measures the disk, looks at the certificate.</summary>
public sealed class Health(Settings settings, Store store, UserDirectory directory, MailQueue queue, Certificates certificates, TimeProvider time, MemoryGate memory, Secrets secrets, AcmeRenewals acme, SigningKeys dkim, SuffixFile suffixes, FilterStates filters, IServiceProvider rooms)
{
    /// <summary>Below this a store that must go on writing is in danger.</summary>
    const long LeastFree = 256L << 20;

    /// <summary>How the detail of a listener begins.</summary>
    internal const string ListensOn = "listens on ";

    readonly long since = time.GetTimestamp();

    public async Task<HealthReport> LookAsync(CancellationToken cancel)
    {
        var parts = new List<PartHealth> { await StoreAsync(cancel) };
        var counts = Attempt(parts, "queue", queue.Counts, Show, Russian) ?? new QueueCounts(0, 0, 0, 0, 0, null);
        var disk = Attempt(parts, "disk", Disk, Show, Russian, space => space.Free >= Math.Min(LeastFree, space.Total / 8) && store.Condition.Sentence is null) ?? new DiskSpace(0, 0, 0, 0, 0, 0);
        parts.Add(Memory());
        parts.Add(Certificate());
        if (directory.ListDomains().Where(Sends).Select(dkim.Trouble).OfType<string>().ToList() is { Count: > 0 } unsigned) parts.Add(new("dkim", false, string.Join("; ", unsigned.Take(5))));
        if (secrets.Problem is { } locked) parts.Add(new("secrets", false, locked.Sentence));
        if (filters.All is { Count: > 0 } asked) parts.Add(Filters(asked));
        if (rooms.GetService<LdapSources>() is { } sources) parts.Add(Directories(sources.Troubles));
        parts.Add(Suffixes());
        parts.Add(new("directory", true, $"{Count(directory.DomainCount, "domain")}, {Count(directory.AccountCount, "account")}", $"доменов: {directory.DomainCount}, учётных записей: {directory.AccountCount}"));
        foreach (var group in settings.Listeners.GroupBy(listener => listener.Protocol))
            parts.Add(new(SettingsFile.KeyName(group.Key.ToString()), true, ListensOn + string.Join(", ", group.Select(listener => listener.Address.Contains(':') ? $"[{listener.Address}]:{listener.Port}" : $"{listener.Address}:{listener.Port}"))));
        return new(parts.TrueForAll(part => part.Healthy), Release, settings.Hostname, settings.Evaluation,
            (long)time.GetElapsedTime(since).TotalSeconds, Environment.WorkingSet, directory.DomainCount, directory.AccountCount, counts, disk, parts);
    }

    // a domain that is only passed on (backup MX) has nobody who writes in its name
    bool Sends(Domain domain) => directory.ListAccounts(domain).Count > 0 || directory.PolicyOf(domain.Name) is not { Ok: true, Value.RelayTo: { Length: > 0 } };

    /// <summary>Whether a commit still becomes durable.</summary>
    public async Task<PartHealth> StoreAsync(CancellationToken cancel)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            late.CancelAfter(TimeSpan.FromSeconds(5));
            await store.CommitAsync(_ => true, late.Token).AsTask().WaitAsync(late.Token);
            if (store.Condition is { IsFailing: true, Sentence: { } sentence }) return new("storage", false, sentence);
            var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            return new("storage", true, string.Create(CultureInfo.InvariantCulture, $"commits in {took:0.0} ms"), string.Create(CultureInfo.InvariantCulture, $"запись закрепляется на диске за {took:0.0} мс"));
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return new("storage", false, e is OperationCanceledException ? "a commit takes more than 5 s" : e.Message);
        }
    }

    static T? Attempt<T>(List<PartHealth> parts, string name, Func<T> look, Func<T, string> show, Func<T, string> russian, Func<T, bool>? healthy = null) where T : class
    {
        try
        {
            var value = look();
            parts.Add(new(name, healthy?.Invoke(value) ?? true, show(value), russian(value)));
            return value;
        }
        catch (Exception e)
        {
            parts.Add(new(name, false, e.Message));
            return null;
        }
    }

    static string Count(long number, string what) => string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");

    string Show(QueueCounts counts) => (queue.IsHeld ? "nothing leaves: all of it is held until \"cbamail queue release\"; " : "") + $"{Count(counts.Messages, "message")} for {Count(counts.Recipients, "recipient")}, {counts.Deferred} deferred, {counts.Held} held";

    string Russian(QueueCounts counts) => (queue.IsHeld ? "ничего не уходит: очередь задержана до команды cbamail queue release; " : "") + $"писем: {counts.Messages}, получателей: {counts.Recipients}, отложено: {counts.Deferred}, задержано: {counts.Held}";

    static string Russian(DiskSpace disk) => $"свободно {Sizes.Show(disk.Free)} из {Sizes.Show(disk.Total)}, данные занимают {Sizes.Show(disk.Data)}; файлов с письмами: {disk.Packs}, {Sizes.Show(disk.PackBytes)}, из них освободится {Sizes.Show(disk.DeadBytes)}";

    string Show(DiskSpace disk) => (store.Condition.Sentence is { } sentence ? sentence + "; " : "") + $"{Sizes.Show(disk.Free)} of {Sizes.Show(disk.Total)} free, {Sizes.Show(disk.Data)} used by the data; {Count(disk.Packs, "pack")} of {Sizes.Show(disk.PackBytes)}, {Sizes.Show(disk.DeadBytes)} of them dead";

    DiskSpace Disk()
    {
        var drive = new DriveInfo(store.Path);
        var packs = store.PackSpace();
        return new(drive.AvailableFreeSpace, drive.TotalSize, new DirectoryInfo(store.Path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(Length),
            packs.Packs, packs.Bytes, packs.Dead);
    }

    // a file may go away while it is being counted
    static long Length(FileInfo file)
    {
        try { return file.Length; }
        catch (IOException) { return 0; }
    }

    static PartHealth Filters(IReadOnlyList<(string Name, string? Problem)> all)
    {
        var failing = all.Where(filter => filter.Problem is not null).ToList();
        return failing.Count == 0 ? new("filters", true, string.Join(", ", all.Select(filter => filter.Name)))
            : new("filters", false, string.Join("; ", failing.Select(filter => $"{filter.Name} does not answer ({filter.Problem}): mail is treated as its on-failure says")), string.Join("; ", failing.Select(filter => $"{filter.Name} не отвечает ({filter.Problem}): с почтой делается то, что задано в on-failure")));
    }

    static PartHealth Directories(IReadOnlyList<(string Name, string? Problem)> all)
    {
        var failing = all.Where(one => one.Problem is not null).ToList();
        return failing.Count == 0 ? new("ldap", true, string.Join(", ", all.Select(one => one.Name))) : new("ldap", false, string.Join("; ", failing.Select(one => $"{one.Name}: {one.Problem}")));
    }

    PartHealth Memory()
    {
        var resident = Sizes.Show(Environment.WorkingSet);
        return memory.IsShort
            ? new("memory", false, $"memory is short ({resident} resident): new connections and messages are refused until it is not", $"памяти не хватает (занято {resident}): новым соединениям и письмам отказано, пока её мало")
            : new("memory", true, $"{resident} resident", $"занято {resident}");
    }

    // a list that is refused is said here, and nothing is ill: the shipped one does its work
    PartHealth Suffixes()
    {
        var list = suffixes.Report();
        var (day, tag) = list.Date is { } date ? ($"list of {date:yyyy-MM-dd}", $"список от {date:yyyy-MM-dd}") : ("list of an unknown day", "список без даты");
        var (wrong, russian) = list.Problem is { } problem ? ($"; {SuffixFile.Name} is not used: {problem}", $"; {SuffixFile.Name} не используется: {problem}") : ("", "");
        return new("public-suffixes", true, $"{day}, {Count(list.Rules, "rule")}{(list.Source == "data" ? ", from the data directory" : "")}{wrong}", $"{tag}, правил: {list.Rules}{(list.Source == "data" ? ", из каталога данных" : "")}{russian}");
    }

    PartHealth Certificate()
    {
        var now = time.GetUtcNow();
        if (certificates.Begins > now)
            return new("certificate", false, $"{certificates.Subject} is valid from {certificates.Begins:yyyy-MM-dd} only; is the clock of this machine right?", $"{certificates.Subject} действует только с {certificates.Begins:yyyy-MM-dd}; верны ли часы этой машины?");
        var all = certificates.List();
        var others = all.Count > 1 ? $", and {Count(all.Count - 1, "other")}" : "";
        var subject = certificates.List().FirstOrDefault()?.Names is { } names && names.Contains(settings.Hostname) ? settings.Hostname : certificates.Subject;
        var detail = $"{subject}{(certificates.IsSelfSigned ? ", self-signed" : "")}, expires {certificates.Expires:yyyy-MM-dd}{others}";
        var russian = $"{subject}{(certificates.IsSelfSigned ? ", самоподписанный" : "")}, действует до {certificates.Expires:yyyy-MM-dd}{(all.Count > 1 ? $", и ещё {all.Count - 1}" : "")}";
        var wrong = all.Where(one => one.Problem is not null).Select(one => one.Problem!)
            .Concat(all.Where(one => one.Expires <= now).Select(one => $"the certificate for {string.Join(", ", one.Names)} has expired"))
            .Concat(acme.List().Where(one => one.Urgent).Select(one => $"no certificate from the authority for {one.Group}: {one.Problem} (next attempt {one.Next:yyyy-MM-dd HH:mm})")).ToList();
        return wrong.Count == 0 ? new("certificate", true, detail, russian) : new("certificate", false, $"{detail}; {string.Join("; ", wrong)}");
    }

    static string Release { get; } = typeof(Health).Assembly.GetName().Version?.ToString(3) ?? "0";
}
