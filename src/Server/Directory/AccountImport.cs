using System.Globalization;
using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Text;

namespace CbaMail.Directory;

/// <summary>A row that was not taken.</summary>
public sealed record ImportError(int Line, string Error);

/// <summary>What an import did.</summary>
/// <param name="Report">File with the passwords that were generated, or null.</param>
public sealed record ImportSummary(int Added, int Changed, int Unchanged, int Failed, string? Report, IReadOnlyList<ImportError> Errors);

/// <summary>
/// Adds and changes many accounts from a table (contract.md: header <c>address,name,password,quota,groups,hash</c> in any order, only address required).
/// A bad row is reported by its line and the rest is taken; the same table once more changes nothing. An account that is there already
/// keeps its password; its name, quota and groups become those of the table where a field is not empty.
/// Generated passwords are on the disk before the accounts are.
/// </summary>
public sealed class AccountImport(UserDirectory directory, string reports, TimeProvider time)
{
    const int Batch = 250;
    static readonly string[] Known = ["address", "name", "password", "quota", "groups", "hash"];

    readonly List<ImportError> errors = [];
    readonly Dictionary<string, int> columns = new(StringComparer.OrdinalIgnoreCase);
    readonly Dictionary<string, int> seen = new(StringComparer.Ordinal);
    string? report;
    int added, changed, unchanged, total, done;

    /// <summary>Reads and applies the table; a table without a usable header is refused as a whole.</summary>
    /// <param name="progress">Told how many rows of how many are done; from any thread.</param>
    public async Task<Result<ImportSummary>> RunAsync(ReadOnlyMemory<byte> file, Action<int, int>? progress, CancellationToken cancel)
    {
        if (CsvTable.Parse(file.Span, out var refusal) is not { } table) return Refusal.Invalid.Because(refusal ?? "The file is no CSV table");
        if (ReadHeader(table.Header) is { } problem) return problem;
        errors.AddRange(table.Errors.Select(error => new ImportError(error.Line, error.Message)));
        total = table.Rows.Count;
        for (var start = 0; start < table.Rows.Count; start += Batch)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = table.Rows.Skip(start).Take(Batch);
            var fresh = new List<(CsvRow Row, NewAccount Account, string? Generated)>();
            foreach (var row in rows)
            {
                if (Read(row) is { } account) fresh.Add(account);
                else if (await UpdateAsync(row, cancel)) { }
                else continue;
            }
            await WriteReportAsync([.. fresh.Where(row => row.Generated is not null).Select(row => (row.Account.Address, row.Generated!))], cancel);
            Report(total - (total - start) - done + Math.Min(Batch, total - start) - fresh.Count, progress);
            var results = await directory.AddAccountsAsync([.. fresh.Select(row => row.Account)], inBulk: true, one => Report(one, progress), cancel);
            for (var i = 0; i < results.Count; i++)
            {
                if (results[i].Ok) added++;
                else errors.Add(new(fresh[i].Row.Line, results[i].Refusal!.Sentence));
            }
        }
        errors.Sort((one, other) => one.Line.CompareTo(other.Line));
        return new ImportSummary(added, changed, unchanged, errors.Count, report, errors);
    }

    void Report(int count, Action<int, int>? progress) => progress?.Invoke(Interlocked.Add(ref done, count), total);

    Refusal? ReadHeader(IReadOnlyList<string> header)
    {
        for (var i = 0; i < header.Count; i++)
        {
            var name = header[i].Trim().ToLowerInvariant();
            if (!Known.Contains(name))
                return Refusal.Invalid.Because($"Line 1 names a column \"{name}\" that is not known; the columns are {string.Join(", ", Known)}");
            if (!columns.TryAdd(name, i)) return Refusal.Invalid.Because($"Line 1 names the column \"{name}\" twice");
        }
        return columns.ContainsKey("address") ? null : Refusal.Invalid.Because($"Line 1 must name the columns, \"address\" among them; the columns are {string.Join(", ", Known)}");
    }

    string Field(CsvRow row, string column) => columns.TryGetValue(column, out var i) && i < row.Fields.Length ? row.Fields[i].Trim() : "";

    bool Fail(CsvRow row, string sentence)
    {
        errors.Add(new(row.Line, sentence));
        return false;
    }

    /// <summary>The account that the row adds; null where it is bad or there already.</summary>
    (CsvRow, NewAccount, string?)? Read(CsvRow row)
    {
        var text = Field(row, "address");
        if (text.Length == 0) { Fail(row, "The address is missing"); return null; }
        if (!Names.TryAddress(text, out var address)) { Fail(row, $"\"{text}\" is not a valid address"); return null; }
        if (!seen.TryAdd(address.Key, row.Line)) { Fail(row, $"{address} stands in line {seen[address.Key]} already"); return null; }
        if (!TryQuota(row, out var quota)) { Fail(row, $"\"{Field(row, "quota")}\" is not a size; write it as in 500M or 2G"); return null; }
        if (directory.FindAccount(address) is not null) return null; // UpdateAsync has it
        if (directory.FindDomain(address.Domain) is null) { Fail(row, $"The domain {address.Domain} is not here; add it with: cbamail domain add {address.Domain}"); return null; }
        var password = Field(row, "password");
        var hash = Field(row, "hash");
        if (hash.Length == 0 && PasswordSchemes.HasScheme(password)) hash = password;
        else if (hash.Length > 0 && password.Length > 0) { Fail(row, "There is a password and a hash; leave one empty"); return null; }
        if (hash.Length > 0 && PasswordSchemes.Read(hash) is { Ok: false } bad) { Fail(row, bad.Refusal.Sentence); return null; }
        var generated = password.Length == 0 && hash.Length == 0 ? Passwords.Generate() : null;
        var account = new NewAccount(address.ToString(), Field(row, "name"), hash.Length > 0 ? null : generated ?? password, quota, Groups: Field(row, "groups"), PasswordHash: hash);
        // the report names nobody who gets no account
        if (directory.Precheck(account) is { } refusal) { Fail(row, refusal.Sentence); return null; }
        return (row, account, generated);
    }

    bool TryQuota(CsvRow row, out long? quota)
    {
        quota = null;
        if (Field(row, "quota") is not { Length: > 0 } text) return true;
        if (!Sizes.TryParse(text, out var bytes)) return false;
        quota = bytes;
        return true;
    }

    /// <summary>Brings an account that is there to what the row says.</summary>
    async Task<bool> UpdateAsync(CsvRow row, CancellationToken cancel)
    {
        if (!Names.TryAddress(Field(row, "address"), out var address) || seen.GetValueOrDefault(address.Key) != row.Line) return false;
        if (directory.FindAccount(address) is not { } account || !TryQuota(row, out var quota)) return false;
        var name = Field(row, "name");
        var groups = UserDirectory.NormalGroups(Field(row, "groups"));
        var change = new AccountChange(
            name.Length > 0 && name != account.Name ? name : null, Quota: quota is { } size && size != account.Quota ? size : null,
            Groups: groups.Length > 0 && groups != account.Groups ? groups : null);
        if (change == new AccountChange()) { unchanged++; return true; }
        var result = await directory.SetAccountAsync(account, change, cancel);
        if (!result.Ok) return Fail(row, result.Refusal.Sentence);
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
}
