using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using CbaMail.Mime;

namespace CbaMail.Cli;

/// <summary>A spool directory of mlmmj: who is on the list, what control/ says, and what was posted.</summary>
static class MlmmjSpool
{
    const int MostFiles = 1_000_000, LargestControl = 64 << 10, LargestMembers = 24 << 20, LargestLetter = 24 << 20, PieceBytes = 4 << 20;
    // in the order in which a member's mode is believed: who is in two of them gets no post twice there either
    static readonly (string Directory, string Mode)[] Members = [("nomailsubs.d", "nomail"), ("digesters.d", "digest"), ("subscribers.d", "normal")];
    // what it does for itself, or what this server does anyway
    static readonly string[] Needless = ["listaddress", "delimiter", "verp", "smtphelo", "smtpport", "relayhost", "maxverprecips", "memorymailsize", "addtohdr", "notmetoo", "tocc", "delheaders", "staticbounceaddr", "originator"];

    public static async Task<int> TakeAsync(Invocation invocation, string spool)
    {
        if (!System.IO.Directory.Exists(Path.Combine(spool, "subscribers.d"))) throw new Refused($"{spool} is no spool of mlmmj: it has no subscribers.d");
        var letters = Files(Path.Combine(spool, "archive")).Where(file => Path.GetFileName(file).All(char.IsAsciiDigit)).OrderBy(file => Path.GetFileName(file).Length).ThenBy(file => file, StringComparer.Ordinal).ToList();
        var settings = Settings(invocation, Path.Combine(spool, "control"), letters.Count > 0);
        if (Files(Path.Combine(spool, "text")).Any()) await invocation.Error.WriteLineAsync("text/: left out; the list writes its letters itself, in English or Russian");
        if (Files(Path.Combine(spool, "moderation")).Any()) await invocation.Error.WriteLineAsync("moderation/: left out; decide there on the posts that wait");
        var lines = new StringBuilder("address,mode\n");
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (directory, mode) in Members)
            foreach (var file in Files(Path.Combine(spool, directory)))
                foreach (var address in Lines(Text(file, LargestMembers)))
                    if (seen.Add(address)) lines.Append(CultureInfo.InvariantCulture, $"\"{address.Replace("\"", "\"\"", StringComparison.Ordinal)}\",{mode}\n");
        if (!await ListMigration.SettingsAsync(invocation, settings))
        {
            // what is not there cannot be asked what would change
            invocation.Print($"{seen.Count} members and {letters.Count} letters would be taken in.");
            return 0;
        }
        using (var table = new MemoryStream(Encoding.UTF8.GetBytes(lines.ToString()))) await ListMigration.MembersAsync(invocation, table);
        if (letters.Count == 0 || settings["archive"].GetValue<string>() == "none") return 0;
        try { return await ListMigration.ArchiveAsync(invocation, Pieces(invocation, letters)); }
        catch (Refused refused) when (invocation.Has("--dry-run") && refused.Message.StartsWith("The list keeps no archive", StringComparison.Ordinal))
        {
            invocation.Print($"{letters.Count} letters would be taken in.");
            return 0;
        }
    }

    static IEnumerable<byte[]> Pieces(Invocation invocation, List<string> letters)
    {
        using var piece = new MemoryStream();
        foreach (var file in letters)
        {
            if (new FileInfo(file).Length > LargestLetter) { invocation.Error.WriteLine($"archive/{Path.GetFileName(file)}: left out; it has more than {LargestLetter} bytes"); continue; }
            Mbox.Write(piece, Bytes(file));
            if (piece.Length < PieceBytes) continue;
            yield return piece.ToArray();
            piece.SetLength(0);
        }
        if (piece.Length > 0) yield return piece.ToArray();
    }

    /// <summary>What control/ says, as the settings of a list; what has nothing that corresponds is named.</summary>
    static SortedDictionary<string, JsonNode> Settings(Invocation invocation, string control, bool hasLetters)
    {
        var settings = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        var files = Files(control).ToDictionary(file => Path.GetFileName(file), StringComparer.Ordinal);
        void Leave(string name, string why) => invocation.Error.WriteLine($"control/{name}: left out; {why}");
        // a flag is a file that is there; a value is what is in it
        bool Flag(string name) => files.Remove(name);
        string? Value(string name) => files.Remove(name, out var file) && Text(file, LargestControl).Trim() is { Length: > 0 } text ? text : null;
        long? Number(string name) => Value(name) is { } text && long.TryParse(Lines(text).First(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        void Put(string name, JsonNode? value) { if (value is not null) settings[name] = value; }
        void People(string name, string? file) { if (file is not null) Put(name, new JsonArray([.. Lines(file).Select(one => (JsonNode)one.ToLowerInvariant()).ToArray()])); }
        foreach (var name in Needless)
            if (name is not "notmetoo") files.Remove(name);
        People("owners", Value("owner"));
        People("moderators", Value("moderators"));
        if (Value("prefix") is { } prefix) if (prefix.Length <= 50) Put("prefix", prefix); else Leave("prefix", "it has more than 50 characters");
        if ((Value("footer") ?? Value("footer-text")) is { } footer) if (footer.Length <= 2000) Put("footer", footer.ReplaceLineEndings("\n")); else Leave("footer", "it has more than 2000 characters");
        if (Number("maxmailsize") is { } size) Put("maxSize", Math.Clamp(size, 1024, 1 << 30));
        if (Number("digestinterval") is { } seconds) Put("digestHours", Math.Clamp(seconds / 3600, 1, 744));
        if (Number("digestmaxmails") is { } posts) Put("digestPosts", Math.Clamp(posts, 1, 500));
        if (Number("modreqlife") is { } life) Put("holdDays", Math.Clamp(life / 86400, 1, 60));
        foreach (var field in Lines(Value("customheaders") ?? ""))
            if (field.StartsWith("Reply-To:", StringComparison.OrdinalIgnoreCase) && field.Contains(invocation.Arguments[0], StringComparison.OrdinalIgnoreCase)) Put("replyTo", "list");
            else Leave("customheaders", $"the list adds no field \"{Readable.Address(field)}\"");
        var (moderators, members, all, strangers) = (Flag("modonlypost"), Flag("subonlypost"), Flag("moderated"), Flag("modnonsubposts"));
        Put("posters", new JsonArray(moderators ? "moderators" : members || strangers ? "members" : "anybody"));
        Put("moderation", all ? "all" : strangers ? "strangers" : "none");
        var (closed, joining, approval) = (Flag("closedlist"), Flag("closedlistsub"), Flag("submod"));
        Put("subscription", closed || joining ? "closed" : approval ? "approval" : "open");
        var (none, shut) = (Flag("noarchive"), Flag("noget"));
        files.Remove("subonlyget");
        // there a member asks for posts by mail, here he reads them
        if (hasLetters) Put("archive", none ? "none" : shut ? "private" : "members");
        foreach (var left in files.Keys.Order(StringComparer.Ordinal)) Leave(left, "the list has nothing like it");
        return settings;
    }

    static IEnumerable<string> Files(string directory) =>
        System.IO.Directory.Exists(directory) ? System.IO.Directory.EnumerateFiles(directory).Take(MostFiles).Order(StringComparer.Ordinal) : [];

    static string[] Lines(string text) => text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    static string Text(string file, int most)
    {
        if (new FileInfo(file).Length > most) throw new Refused($"The file {file} has more than {most} bytes");
        return Encoding.UTF8.GetString(Bytes(file));
    }

    static byte[] Bytes(string file)
    {
        try { return File.ReadAllBytes(file); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Refused($"The file {file} cannot be read: {e.Message}");
        }
    }
}
