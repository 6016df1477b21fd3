using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CbaMail.Cli;

/// <summary>Takes a list over from another program: its members, settings and archive.</summary>
static class ListMigration
{
    const int PieceBytes = 4 << 20, LargestLetter = 30 << 20, LargestSettings = 64 << 20;

    public static async Task<int> RunAsync(Invocation invocation)
    {
        var path = invocation.Arguments[1];
        if (System.IO.Directory.Exists(path)) return await MlmmjSpool.TakeAsync(invocation, path);
        await using var file = CourseVerbs.Open(path);
        var start = new byte[5];
        if (file.CanSeek)
        {
            await file.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false);
            file.Position = 0;
        }
        if (start.AsSpan().SequenceEqual("From "u8)) return await ArchiveAsync(invocation, Pieces(file, path));
        if (start[0] != (byte)'{') return await MembersAsync(invocation, file);
        if (file.Length > LargestSettings) throw new Refused($"The file {path} has more than {LargestSettings} bytes");
        JsonDocument json;
        try { json = await JsonDocument.ParseAsync(file); }
        catch (JsonException) { throw new Refused($"The file {path} is not JSON"); }
        using (json)
        {
            if (json.RootElement.TryGetProperty("entries", out _))
            {
                using var table = new MemoryStream(Encoding.UTF8.GetBytes(MailmanConfig.Table(json.RootElement)));
                return await MembersAsync(invocation, table);
            }
            await SettingsAsync(invocation, MailmanConfig.Settings(invocation, json.RootElement));
            return 0;
        }
    }

    static string List(Invocation invocation) => "lists/" + Uri.EscapeDataString(invocation.Arguments[0]);

    /// <param name="file">What the server reads as a table or lines of members.</param>
    internal static async Task<int> MembersAsync(Invocation invocation, Stream file)
    {
        var asked = new List<string>();
        foreach (var name in new[] { "mode", "role" }) if (invocation.Value("--" + name) is { } value) asked.Add($"{name}={Uri.EscapeDataString(value)}");
        var dry = invocation.Has("--dry-run");
        if (dry) asked.Add("dry-run=true");
        var report = await invocation.Server.PostAsync($"{List(invocation)}/import?{string.Join('&', asked)}", file, "text/csv");
        if (invocation.Json) return invocation.Print(report, _ => "");
        foreach (var line in report.Items("lines"))
            if (line.Text("deed") == "left-out") await invocation.Error.WriteLineAsync($"line {line.Text("line")}: {Readable.Address(line.Text("address"))}: {line.Text("problem")}");
            else if (dry && line.Text("deed") != "unchanged") invocation.Print($"{(line.Text("deed") == "added" ? '+' : '~')} {Readable.Address(line.Text("address"))}");
        return invocation.Print(report, _ => $"{report.Text("added")} added, {report.Text("changed")} changed, {report.Text("unchanged")} unchanged, {report.Text("leftOut")} left out{Undone(invocation)}.");
    }

    static string Undone(Invocation invocation) => invocation.Has("--dry-run") ? "; nothing was done" : "";

    /// <summary>Sets what differs, and tells it; makes the list where there is none.</summary>
    /// <returns>Whether the list is there.</returns>
    internal static async Task<bool> SettingsAsync(Invocation invocation, SortedDictionary<string, JsonNode> wanted)
    {
        var (address, dry) = (invocation.Arguments[0], invocation.Has("--dry-run"));
        var now = await FindAsync(invocation);
        var there = now.ValueKind == JsonValueKind.Object;
        var body = new JsonBody().Add("address", there ? null : address);
        var changed = 0;
        foreach (var (name, value) in wanted)
        {
            var old = there && now.TryGetProperty(name, out var field) && field.ValueKind != JsonValueKind.Null ? JsonNode.Parse(field.GetRawText()) : null;
            if (JsonNode.DeepEquals(old, value)) continue;
            changed++;
            body.Set(name, value.DeepClone());
            if (!invocation.Json) invocation.Print($"{name}: {Shown(old)} -> {Shown(value)}");
        }
        var query = dry ? "?dry-run=true" : "";
        if (!there) await invocation.Server.PostAsync("lists" + query, body);
        else if (changed > 0) await invocation.Server.PatchAsync(List(invocation) + query, body);
        if (!invocation.Json) invocation.Print(there ? $"{changed} settings changed{Undone(invocation)}." : dry ? $"The list {address} would be made; nothing was done." : $"The list {address} is made.");
        return there || !dry;
    }

    static async Task<JsonElement> FindAsync(Invocation invocation)
    {
        try { return await invocation.Server.GetAsync(List(invocation)); }
        catch (Refused refused) when (refused.Message.StartsWith("There is no list", StringComparison.Ordinal)) { return default; }
    }

    static readonly JsonSerializerOptions Readably = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static string Shown(JsonNode? value) => value?.ToJsonString(Readably) ?? "nothing";

    /// <param name="pieces">Each an mbox.</param>
    internal static async Task<int> ArchiveAsync(Invocation invocation, IEnumerable<byte[]> pieces)
    {
        long added = 0, known = 0, left = 0, before = 0;
        foreach (var piece in pieces)
        {
            using var body = new MemoryStream(piece);
            var report = await invocation.Server.PostAsync($"{List(invocation)}/archive{(invocation.Has("--dry-run") ? "?dry-run=true" : "")}", body, "application/mbox");
            foreach (var one in report.Items("letters")) await invocation.Error.WriteLineAsync($"letter {before + one.Number("number")}: {one.Text("problem")}");
            (added, known, left) = (added + report.Number("added"), known + report.Number("known"), left + report.Number("leftOut"));
            before = added + known + left;
        }
        invocation.Print($"{added} letters added, {known} known, {left} left out{Undone(invocation)}.");
        return 0;
    }

    /// <summary>An mbox in parts that one request takes.</summary>
    static IEnumerable<byte[]> Pieces(Stream file, string path)
    {
        using var bytes = new BufferedStream(file, 64 << 10);
        using var piece = new MemoryStream();
        using var line = new MemoryStream();
        for (var empty = true; ;)
        {
            var read = bytes.ReadByte();
            if (read >= 0) line.WriteByte((byte)read);
            if (read is >= 0 and not '\n' && line.Length <= LargestLetter) continue;
            if (empty && piece.Length >= PieceBytes && line.GetBuffer().AsSpan(0, (int)line.Length).StartsWith("From "u8))
            {
                yield return piece.ToArray();
                piece.SetLength(0);
            }
            line.WriteTo(piece);
            if (piece.Length > LargestLetter) throw new Refused($"The file {path} has a letter of more than {LargestLetter - PieceBytes} bytes, or is no mbox");
            empty = line.Length is 1 or 2 && line.GetBuffer()[0] is (byte)'\r' or (byte)'\n';
            line.SetLength(0);
            if (read < 0) break;
        }
        if (piece.Length > 0) yield return piece.ToArray();
    }
}
