using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Text;

namespace CbaMail.Admission;

/// <summary>A row that was not taken.</summary>
/// <param name="Column">That it is about, or null.</param>
public sealed record RowError(int Line, string Error, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Column = null)
{
    /// <summary>The column as the table itself calls it; null as <see cref="Column"/> is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Header { get; init; }

    /// <summary>For other languages; null where there is no more than the sentence.</summary>
    [JsonIgnore] public Refusal? Why { get; init; }
}

/// <summary>What a row does: <c>added</c>, <c>changed</c>, <c>unchanged</c>.</summary>
/// <param name="Columns">What changes, of one that is there already.</param>
public sealed record ImportRow(int Line, string Address, string Outcome, IReadOnlyList<ImportDifference> Columns);

public sealed record ImportDifference(string Column, string Before, string After);

/// <summary>What an import did.</summary>
/// <param name="Report">File with the passwords that were generated, or null.</param>
/// <param name="Rows">Row by row, where it was only tried; null otherwise.</param>
public sealed record ImportSummary(
    int Added, int Changed, int Unchanged, int Failed, string? Report, IReadOnlyList<RowError> Errors, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ImportRow>? Rows = null);

/// <summary>Somebody's first password, as it is told to him.</summary>
public sealed record FirstCredentials(string Address, string Name, string Password, bool MustChange);

/// <summary>What an import is to do and may do.</summary>
/// <param name="MayAdd">To this domain.</param>
public sealed record ImportOrder(Func<Domain, bool> MayAdd, Func<Account, bool> MayChange, Func<Course, bool> MayEnrol)
{
    /// <summary>Everything.</summary>
    public static readonly ImportOrder All = new(_ => true, _ => true, _ => true);

    /// <summary>Only looks what it would do.</summary>
    public bool IsRehearsal { get; init; }

    /// <summary>Of a spreadsheet: name or number; null: the first that is shown.</summary>
    public string? Sheet { get; init; }

    /// <summary>Who is added takes a password of his own at his first sign-in, where his row does not say otherwise.</summary>
    public bool MustChange { get; init; }
}

/// <summary>
/// Adds and changes many accounts from a table (contract.md: header <c>address,name,password,quota,groups,hash</c> in any order, only address required),
/// as CSV or as a spreadsheet. A bad row is reported by its line and the rest is taken; the same table once more changes nothing. An account that is
/// there already keeps its password; its name, quota, groups and recovery address become those of the table where a field is not empty, and aliases and
/// courses are added to it. Generated passwords are on the disk before the accounts are.
/// </summary>
public sealed class AccountImport(UserDirectory directory, string reports, TimeProvider time, CourseRegister? register = null)
{
    const int Batch = 250;
    const int MostAliases = 20;

    readonly List<RowError> errors = [];
    readonly List<ImportRow> rows = [];
    readonly Dictionary<string, int> seen = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> claimed = new(StringComparer.Ordinal); // aliases that rows before have asked for, and whose
    readonly List<FirstCredentials> credentials = [];
    ImportColumns columns = null!;
    ImportOrder order = ImportOrder.All;
    string? report;
    int added, changed, unchanged, total, done;

    /// <summary>A row that is right.</summary>
    sealed record Plan(int Line, MailAddress Address, string Name, NewAccount? Fresh, string? Generated, Account? Known, AccountChange Change, IReadOnlyList<string> Aliases, IReadOnlyList<Course> Courses, List<ImportDifference> Differences);

    /// <summary>The passwords that were made, of those who were added: for the one answer, and nowhere kept.</summary>
    public IReadOnlyList<FirstCredentials> Credentials => credentials;

    /// <summary>Reads and applies the table; a table without a usable header is refused as a whole.</summary>
    /// <param name="progress">Told how many rows of how many are done; from any thread.</param>
    public async Task<Result<ImportSummary>> RunAsync(ReadOnlyMemory<byte> file, Action<int, int>? progress, CancellationToken cancel, ImportOrder? wanted = null)
    {
        order = wanted ?? ImportOrder.All;
        var read = Table(file, cancel);
        if (!read.Ok) return read.Refusal;
        var table = read.Value;
        if (table.Rows.Count + table.Errors.Count > Workbook.MostRows) return Refusal.Invalid.Because($"The table has more than {Workbook.MostRows} rows; split it");
        var header = ImportColumns.Read(table.Header);
        if (!header.Ok) return header.Refusal;
        columns = header.Value;
        errors.AddRange(table.Errors.Select(error => new RowError(error.Line, error.Message)));
        total = table.Rows.Count;
        for (var start = 0; start < table.Rows.Count; start += Batch)
        {
            cancel.ThrowIfCancellationRequested();
            var size = Math.Min(Batch, table.Rows.Count - start);
            var plans = new List<Plan>(size);
            for (var i = start; i < start + size; i++)
                if (Look(table.Rows[i]) is { } plan) plans.Add(plan);
            if (order.IsRehearsal) Note(plans);
            else await ApplyAsync(plans, size, progress, cancel);
        }
        errors.Sort((one, other) => one.Line.CompareTo(other.Line));
        return new ImportSummary(added, changed, unchanged, errors.Count, report, errors, order.IsRehearsal ? rows : null);
    }

    Result<CsvTable> Table(ReadOnlyMemory<byte> file, CancellationToken cancel)
    {
        if (Workbook.Is(file.Span)) return Workbook.Read(file, order.Sheet, cancel);
        return CsvTable.Parse(file.Span, out var refusal) is { } table ? table : Refusal.Invalid.Because(refusal ?? "The file is no CSV table");
    }

    /// <summary>Takes the file of generated passwords away: they have been told.</summary>
    public void Told()
    {
        if (report is not null) File.Delete(report);
        report = null;
    }

    // ---- looking

    Plan? Fail(CsvRow row, ImportColumn? column, Refusal refusal)
    {
        Fail(row.Line, column, refusal);
        return null;
    }

    string Field(CsvRow row, ImportColumn column) => columns.Field(row.Fields, column);

    /// <summary>What the row asks for; null where it is bad.</summary>
    Plan? Look(CsvRow row)
    {
        var text = Field(row, ImportColumn.Address);
        if (text.Length == 0) return Fail(row, ImportColumn.Address, Refusal.Invalid.Because("The address is missing"));
        if (!Names.TryAddress(text, out var address)) return Fail(row, ImportColumn.Address, Refusal.BadAddress.Because($"\"{Shown(text)}\" is not a valid address"));
        if (!seen.TryAdd(address.Key, row.Line)) return Fail(row, ImportColumn.Address, Refusal.Invalid.Because($"{address} stands in line {seen[address.Key]} already"));
        if (directory.FindDomain(address.Domain) is not { } domain) return Fail(row, ImportColumn.Address, Refusal.NoSuchDomain.Because($"The domain {address.Domain} is not here; add it with: cbamail domain add {address.Domain}"));
        var known = directory.FindAccount(address);
        if (known is null ? !order.MayAdd(domain) : !order.MayChange(known)) return Fail(row, ImportColumn.Address, Refusal.NotPermitted.Because($"You may not make or change {address}"));
        long? quota = null;
        if (Field(row, ImportColumn.Quota) is { Length: > 0 } size)
        {
            if (!Sizes.TryParse(size, out var bytes)) return Fail(row, ImportColumn.Quota, Refusal.Invalid.Because($"\"{Shown(size)}\" is not a size; write it as in 500M or 2G"));
            quota = bytes;
        }
        foreach (var column in new[] { ImportColumn.Generate, ImportColumn.MustChange })
            if (!ImportColumns.TryTruth(Field(row, column), out _)) return Fail(row, column, Refusal.Invalid.Because($"\"{Shown(Field(row, column))}\" is neither yes nor no"));
        var recovery = Field(row, ImportColumn.Recovery);
        if (recovery.Length > 0)
        {
            if (Recovery.Normal(recovery, address) is not { Ok: true } right) return Fail(row, ImportColumn.Recovery, Recovery.Normal(recovery, address).Refusal!);
            recovery = right.Value;
        }
        if (Aliases(row, address, domain, out var aliases) is { } badAlias) return Fail(row, ImportColumn.Aliases, badAlias);
        if (Courses(row, out var courses) is { } badCourse) return Fail(row, ImportColumn.Courses, badCourse);
        var plan = new Plan(row.Line, address, Field(row, ImportColumn.Name), null, null, known, new(), aliases, courses, []);
        return known is null ? Fresh(row, plan, quota, recovery) : Changed(plan, known, quota, UserDirectory.NormalGroups(Field(row, ImportColumn.Groups)), recovery);
    }

    /// <summary>The account that the row adds.</summary>
    Plan? Fresh(CsvRow row, Plan plan, long? quota, string recovery)
    {
        var password = Field(row, ImportColumn.Password);
        var hash = Field(row, ImportColumn.Hash);
        if (hash.Length == 0 && PasswordSchemes.HasScheme(password)) hash = password;
        else if (hash.Length > 0 && password.Length > 0) return Fail(row, ImportColumn.Hash, Refusal.Invalid.Because("There is a password and a hash; leave one empty"));
        if (hash.Length > 0 && PasswordSchemes.Read(hash) is { Ok: false } bad) return Fail(row, ImportColumn.Hash, bad.Refusal);
        ImportColumns.TryTruth(Field(row, ImportColumn.Generate), out var generate);
        if (generate == true && (password.Length > 0 || hash.Length > 0)) return Fail(row, ImportColumn.Generate, Refusal.Invalid.Because("There is a password already; leave it empty to have one made"));
        ImportColumns.TryTruth(Field(row, ImportColumn.MustChange), out var mustChange);
        var generated = password.Length == 0 && hash.Length == 0 && generate != false ? Passwords.Generate() : null;
        var account = new NewAccount(plan.Address.ToString(), plan.Name, hash.Length > 0 ? null : generated ?? password, quota, Groups: Field(row, ImportColumn.Groups), PasswordHash: hash)
        {
            Profile = Profile(recovery, mustChange ?? order.MustChange),
            Template = Field(row, ImportColumn.Template) is { Length: > 0 } template ? template : null,
        };
        // the report names nobody who gets no account
        if (directory.Precheck(account) is { } refusal) return Fail(row, null, refusal);
        return plan with { Fresh = account, Generated = generated };
    }

    AccountProfile Profile(string recovery, bool mustChange) => recovery.Length == 0 && !mustChange ? AccountProfile.None
        : new() { Recovery = recovery.Length > 0 ? recovery : null, MustChangePassword = mustChange ? true : null, MustChangeSince = mustChange ? time.GetUtcNow() : null };

    /// <summary>What becomes another thing in an account that is there.</summary>
    static Plan Changed(Plan plan, Account known, long? quota, string groups, string recovery)
    {
        var differences = plan.Differences;
        void Differ(ImportColumn column, string before, string after) => differences.Add(new(ImportColumns.Word(column), before, after));
        var (name, change) = (plan.Name.Trim(), new AccountChange());
        if (name.Length > 0 && name != known.Name) { Differ(ImportColumn.Name, known.Name, name); change = change with { Name = name }; }
        if (quota is { } size && size != known.Quota) { Differ(ImportColumn.Quota, Sizes.Show(known.Quota), Sizes.Show(size)); change = change with { Quota = size }; }
        if (groups.Length > 0 && groups != known.Groups) { Differ(ImportColumn.Groups, known.Groups, groups); change = change with { Groups = groups }; }
        if (recovery.Length > 0 && recovery != known.Profile.Recovery)
        {
            Differ(ImportColumn.Recovery, known.Profile.Recovery ?? "", recovery);
            change = change with { Profile = profile => profile with { Recovery = recovery } };
        }
        if (plan.Aliases.Count > 0) Differ(ImportColumn.Aliases, "", string.Join(' ', plan.Aliases));
        if (plan.Courses.Count > 0) Differ(ImportColumn.Courses, "", string.Join(' ', plan.Courses.Select(course => course.Slug)));
        return plan with { Change = change };
    }

    static readonly char[] between = [' ', ',', ';', '\t', '\n'];

    /// <summary>Those of the row that do not lead to the account yet.</summary>
    Refusal? Aliases(CsvRow row, MailAddress whose, Domain domain, out List<string> missing)
    {
        missing = [];
        foreach (var word in Field(row, ImportColumn.Aliases).Split(between, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!Names.TryAddress(word.Contains('@', StringComparison.Ordinal) ? word : $"{word}@{domain.Name}", out var alias)) return Refusal.BadAddress.Because($"\"{Shown(word)}\" is not a valid address");
            if (alias.Key == whose.Key) continue;
            if (directory.FindDomain(alias.Domain) is not { AliasOf: null } its || !order.MayAdd(its)) return Refusal.NotPermitted.Because($"You may not make or change {alias}");
            if (directory.FindAccount(alias) is not null || seen.ContainsKey(alias.Key) || (claimed.TryGetValue(alias.Key, out var other) && other != whose.Key)) return Refusal.AlreadyExists.Because($"The address {alias} is taken already");
            var there = directory.FindAlias(alias);
            if (there?.Targets.Contains(whose.ToString(), StringComparer.Ordinal) == true) continue;
            if (there is not null) return Refusal.AlreadyExists.Because($"The address {alias} is taken already"); // of somebody else: a table does not put him into it
            if (missing.Count == MostAliases) return Refusal.Invalid.Because($"An account gets at most {MostAliases} aliases by a table");
            claimed[alias.Key] = whose.Key;
            missing.Add(alias.ToString());
        }
        return null;
    }

    Dictionary<string, Course>? courses;
    readonly Dictionary<long, HashSet<string>> enrolled = [];

    /// <summary>Those of the row that the account is not in yet.</summary>
    Refusal? Courses(CsvRow row, out List<Course> missing)
    {
        missing = [];
        foreach (var word in Field(row, ImportColumn.Courses).Split(between, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            courses ??= register?.List().ToDictionary(course => course.Slug, StringComparer.Ordinal) ?? [];
            if (!courses.TryGetValue(word.ToLowerInvariant(), out var course)) return Refusal.NoSuchThing.Because($"There is no course \"{Shown(word)}\"; cbamail course list shows those there are");
            if (!order.MayEnrol(course)) return Refusal.NotPermitted.Because($"You may not enrol anybody in the course {course.Slug}");
            if (!enrolled.TryGetValue(course.Id, out var people)) enrolled[course.Id] = people = register!.Keys(course);
            if (Names.TryAddress(Field(row, ImportColumn.Address), out var address) && !people.Contains(address.Key) && !missing.Contains(course)) missing.Add(course);
        }
        return null;
    }

    void Note(List<Plan> plans)
    {
        foreach (var plan in plans)
        {
            var outcome = plan.Fresh is not null ? "added" : plan.Differences.Count > 0 ? "changed" : "unchanged";
            if (plan.Fresh is not null) added++; else if (plan.Differences.Count > 0) changed++; else unchanged++;
            rows.Add(new(plan.Line, plan.Address.ToString(), outcome, plan.Differences));
        }
    }

    // ---- doing

    async Task ApplyAsync(List<Plan> plans, int size, Action<int, int>? progress, CancellationToken cancel)
    {
        var fresh = plans.Where(plan => plan.Fresh is not null).ToList();
        var taken = new List<Plan>(plans.Count);
        foreach (var plan in plans.Where(plan => plan.Fresh is null))
            if (await UpdateAsync(plan, cancel)) taken.Add(plan);
        await WriteReportAsync([.. fresh.Where(plan => plan.Generated is not null).Select(plan => (plan.Fresh!.Address, plan.Generated!))], cancel);
        Tell(size - fresh.Count, progress);
        var results = await directory.AddAccountsAsync([.. fresh.Select(plan => plan.Fresh!)], inBulk: true, one => Tell(one, progress), cancel);
        for (var i = 0; i < results.Count; i++)
        {
            if (!results[i].Ok) { Fail(fresh[i], null, results[i].Refusal!); continue; }
            added++;
            taken.Add(fresh[i]);
            if (fresh[i].Generated is { } password) credentials.Add(new(results[i].Value!.Address.ToString(), results[i].Value!.Name, password, fresh[i].Fresh!.Profile.MustChangePassword == true));
        }
        foreach (var plan in taken)
            foreach (var alias in plan.Aliases)
                if (await directory.AddAliasAsync(alias, [plan.Address.ToString()], cancel) is { Ok: false } refused) Fail(plan, ImportColumn.Aliases, refused.Refusal);
        foreach (var (course, people) in taken.SelectMany(plan => plan.Courses.Select(course => (course, plan))).GroupBy(one => one.course, (course, those) => (course, those.Select(one => one.plan).ToList())))
            if (await register!.EnrolAsync(course, [.. people.Select(plan => (plan.Address, plan.Name))], cancel) is { } full)
                foreach (var plan in people) Fail(plan, ImportColumn.Courses, full);
    }

    void Fail(Plan plan, ImportColumn? column, Refusal refusal) => Fail(plan.Line, column, refusal);

    void Fail(int line, ImportColumn? column, Refusal refusal) =>
        errors.Add(new(line, refusal.Sentence, column is { } named ? ImportColumns.Word(named) : null) { Header = column is { } its ? columns.Header(its) : null, Why = refusal });

    void Tell(int count, Action<int, int>? progress) => progress?.Invoke(Interlocked.Add(ref done, count), total);

    /// <summary>Brings an account that is there to what the row says.</summary>
    async Task<bool> UpdateAsync(Plan plan, CancellationToken cancel)
    {
        if (plan.Differences.Count == 0) { unchanged++; return true; }
        if (plan.Change != new AccountChange() && await directory.SetAccountAsync(plan.Known!, plan.Change, cancel) is { Ok: false } refused) { Fail(plan, null, refused.Refusal); return false; }
        changed++;
        return true;
    }

    async Task WriteReportAsync(IReadOnlyList<(string Address, string Password)> generated, CancellationToken cancel)
    {
        if (generated.Count == 0) return;
        var text = new StringBuilder();
        if (report is null)
        {
            System.IO.Directory.CreateDirectory(reports);
            // two imports in one second must not share a file
            report = Path.Combine(reports, $"accounts-{time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}-{Guid.NewGuid().ToString("N")[..6]}.csv");
            text.Append("address,password\n");
        }
        foreach (var (address, password) in generated) text.Append(address.Contains('"') ? "\"" + address.Replace("\"", "\"\"") + "\"" : address).Append(',').Append(password).Append('\n');
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        await using var file = new FileStream(report, options);
        await file.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancel);
        file.Flush(flushToDisk: true);
    }

    static string Shown(string text) => new([.. text.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
}
