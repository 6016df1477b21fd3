using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CbaMail.Config;

/// <summary>What the command line says; it wins over the file.</summary>
public sealed record SettingsFlags(
    string? Config = null, string? Data = null, int? PortOffset = null, string? Hostname = null, bool Evaluation = false);

/// <summary>Settings, or the sentence that says what is wrong and where.</summary>
/// <param name="Sentence">The same without the place.</param>
public sealed record LoadedSettings(Settings? Settings, string? Problem, string? Sentence = null);

/// <summary>
/// Reads the YAML file into the documented records of this room. A key is the property's name with hyphens (<c>port-offset</c>).
/// An unknown key or a bad value is refused with file, line and a sentence: a typing error must not become a default.
/// </summary>
public static class SettingsFile
{
    /// <summary>
    /// In the data directory: what was set by the API. The settings file wins over it, so that nobody who reads that file is deceived.
    /// </summary>
    public const string Own = "settings.yaml";

    /// <summary>Keys that only the settings file and the flags say: where everything is, and what it listens at.</summary>
    internal static readonly string[] NotOwn = ["data", "evaluation", "port-offset", "listeners"];

    /// <summary>Defaults, then the profile, then what was set by the API, then the file, then the flags.</summary>
    public static LoadedSettings Load(SettingsFlags flags)
    {
        var text = "";
        var name = flags.Config ?? "";
        if (flags.Config is not null)
        {
            try { text = File.ReadAllText(flags.Config); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return new(null, $"The settings file {flags.Config} cannot be read: {e.Message}");
            }
        }
        var loaded = Parse(text, name, flags);
        if (loaded.Settings is not { } settings || !File.Exists(Path.Combine(settings.Data, Own))) return loaded;
        var own = Path.Combine(settings.Data, Own);
        try { return Parse(text, name, flags, File.ReadAllText(own), own); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(null, $"The settings file {own} cannot be read: {e.Message}");
        }
    }

    /// <summary>The same for a text; <paramref name="name"/> is the file's name for sentences.</summary>
    /// <param name="own">What was set by the API.</param>
    public static LoadedSettings Parse(string text, string name, SettingsFlags flags, string own = "", string ownName = Own)
    {
        try
        {
            var root = ReadYaml(text, name);
            // the profile decides the defaults, so it is asked first
            var evaluation = flags.Evaluation || (Child(root, "evaluation") is YamlScalarNode { Value: "true" or "yes" or "on" });
            var settings = new Settings { Hostname = MachineName() };
            if (evaluation) settings = EvaluationProfile.Apply(settings);
            var (inOwn, inFile) = (new HashSet<string>(), new HashSet<string>());
            if (ReadYaml(own, ownName) is { } mine)
            {
                if (mine.Children.Keys.FirstOrDefault(key => key is YamlScalarNode { Value: { } word } && NotOwn.Contains(word)) is YamlScalarNode misplaced)
                    throw new SettingsProblem(ownName, misplaced.Start, $"\"{misplaced.Value}\" can only be said by the settings file");
                Fill(settings, mine, ownName, "", inOwn);
            }
            if (root is not null) Fill(settings, root, name, "", inFile);
            settings = settings with
            {
                Flags = flags,
                InFile = inFile,
                InOwn = inOwn,
                Evaluation = evaluation,
                File = flags.Config is null ? null : Path.GetFullPath(flags.Config),
                Data = flags.Data ?? settings.Data,
                PortOffset = flags.PortOffset ?? settings.PortOffset,
                Hostname = (flags.Hostname ?? settings.Hostname).Trim().TrimEnd('.').ToLowerInvariant(),
            };
            if (settings.PortOffset is < 0 or > 60000) return new(null, $"The port offset {settings.PortOffset} is not between 0 and 60000");
            if (!IsHostname(settings.Hostname)) return new(null, $"\"{settings.Hostname}\" is not a host name; write it as in mail.example.org");
            settings = settings with { Data = Path.GetFullPath(settings.Data), Listeners = ReadListeners(root, name, settings) };
            return new(settings, null);
        }
        catch (SettingsProblem problem)
        {
            return new(null, problem.Message, problem.Sentence);
        }
    }

    /// <summary>Thrown and caught in this file alone.</summary>
    sealed class SettingsProblem(string file, Mark at, string sentence)
        : Exception($"{(file.Length > 0 ? file : "settings")}, line {at.Line}: {sentence}")
    {
        public string Sentence => sentence;
    }

    static YamlMappingNode? ReadYaml(string text, string name)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text.TrimStart('\uFEFF')));
            if (stream.Documents.Count == 0 || stream.Documents[0].RootNode is YamlScalarNode { Value: null or "" }) return null;
            return stream.Documents[0].RootNode as YamlMappingNode
                ?? throw new SettingsProblem(name, stream.Documents[0].RootNode.Start, "expected lines of the form \"key: value\"");
        }
        catch (YamlException e)
        {
            throw new SettingsProblem(name, e.Start, "this is not YAML: " + OneLine(e.InnerException?.Message ?? e.Message));
        }
    }

    static YamlNode? Child(YamlMappingNode? node, string key) =>
        node?.Children.FirstOrDefault(pair => pair.Key is YamlScalarNode scalar && scalar.Value == key).Value;

    static void Fill(object record, YamlMappingNode node, string file, string path, HashSet<string>? given = null)
    {
        var properties = Keys(record.GetType());
        foreach (var (keyNode, value) in node.Children)
        {
            if (keyNode is not YamlScalarNode { Value: { } key }) throw new SettingsProblem(file, keyNode.Start, "a key must be a word");
            if (path.Length == 0 && key is "listeners") continue;
            if (!properties.TryGetValue(key, out var property))
                throw new SettingsProblem(file, keyNode.Start, $"there is no setting \"{path}{key}\"{Suggest(key, path.Length == 0 ? properties.Keys.Append("listeners") : properties.Keys)}");
            if (IsRecord(property.PropertyType))
            {
                if (value is YamlScalarNode { Value: null or "" }) continue;
                if (value is not YamlMappingNode inner) throw new SettingsProblem(file, value.Start, $"\"{path}{key}\" holds further keys, indented below it");
                var target = property.GetValue(record) ?? Activator.CreateInstance(property.PropertyType)!;
                Fill(target, inner, file, path + key + ".", given);
                Check(target, inner, file);
                property.SetValue(record, target);
                continue;
            }
            property.SetValue(record, Value(property.PropertyType, value, file, path + key));
            given?.Add(path + key);
        }
    }

    static void Check(object record, YamlMappingNode node, string file)
    {
        if ((record as IChecked)?.Problem() is not { } problem) return;
        // the line of the key that the sentence names, where it does
        var named = node.Children.Keys.OfType<YamlScalarNode>().Where(key => key.Value is { } word && Regex.IsMatch(problem, $@"(?<![\w-]){Regex.Escape(word)}(?![\w-])")).MaxBy(key => key.Value!.Length);
        throw new SettingsProblem(file, (named ?? (YamlNode)node).Start, problem);
    }

    /// <summary>What the setting of this full name is; null: there is none.</summary>
    internal static Type? TypeOf(string key)
    {
        var type = typeof(Settings);
        foreach (var word in key.Split('.'))
        {
            if (!IsRecord(type) || !Keys(type).TryGetValue(word, out var property)) return null;
            type = property.PropertyType;
        }
        return Nullable.GetUnderlyingType(type) ?? type;
    }

    /// <summary>The keys that a record takes.</summary>
    internal static IReadOnlyDictionary<string, PropertyInfo> Keys(Type record) =>
        record.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is not null && property.Name != nameof(Settings.Listeners))
            .ToDictionary(property => KeyName(property.Name), StringComparer.Ordinal);

    internal static string KeyName(string property)
    {
        var name = new StringBuilder();
        for (var i = 0; i < property.Length; i++)
        {
            if (char.IsUpper(property[i]) && i > 0 && !char.IsUpper(property[i - 1])) name.Append('-');
            name.Append(char.ToLowerInvariant(property[i]));
        }
        return name.ToString();
    }

    internal static bool IsRecord(Type type) =>
        type.IsClass && type != typeof(string) && type.Namespace == typeof(Settings).Namespace;

    static object? Value(Type type, YamlNode node, string file, string path)
    {
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        if (bare == typeof(IReadOnlyDictionary<string, string>)) return MapValue(node, file, path);
        if (bare != typeof(string) && typeof(IEnumerable).IsAssignableFrom(bare)) return ListValue(bare, node, file, path);
        if (node is not YamlScalarNode scalar) throw new SettingsProblem(file, node.Start, $"\"{path}\" takes one value");
        var text = scalar.Value ?? "";
        if (text.Length == 0 && scalar.Style == ScalarStyle.Plain)
        {
            if (Nullable.GetUnderlyingType(type) is not null || type == typeof(string)) return type == typeof(string) ? "" : null;
            throw new SettingsProblem(file, node.Start, $"\"{path}\" has no value");
        }
        return Scalar(bare, text) ?? throw new SettingsProblem(file, node.Start, $"\"{OneLine(text)}\" is not right for \"{path}\": expected {Expected(bare)}");
    }

    static Dictionary<string, string> MapValue(YamlNode node, string file, string path)
    {
        if (node is YamlScalarNode { Value: null or "" }) return [];
        if (node is not YamlMappingNode mapping) throw new SettingsProblem(file, node.Start, $"\"{path}\" takes lines of the form \"name: value\"");
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in mapping.Children)
        {
            if (key is not YamlScalarNode { Value: { Length: > 0 } name } || value is not YamlScalarNode { Value: { Length: > 0 } text }) throw new SettingsProblem(file, key.Start, $"\"{path}\" takes lines of the form \"name: value\"");
            map[name] = text;
        }
        return map;
    }

    static object ListValue(Type type, YamlNode node, string file, string path)
    {
        var element = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[0];
        IEnumerable<YamlNode> nodes = node switch
        {
            YamlSequenceNode sequence => sequence.Children,
            YamlScalarNode { Value: null or "" } => [],
            YamlScalarNode one => [one],
            _ => throw new SettingsProblem(file, node.Start, $"\"{path}\" takes a list"),
        };
        var items = nodes.Select((item, i) =>
        {
            if (!IsRecord(element)) return Value(element, item, file, path);
            if (item is not YamlMappingNode mapping) throw new SettingsProblem(file, item.Start, $"\"{path}\" takes a list of entries with keys");
            var record = Activator.CreateInstance(element)!;
            Fill(record, mapping, file, $"{path}[{i}].");
            Check(record, mapping, file);
            return record;
        }).ToArray();
        var array = Array.CreateInstance(element, items.Length);
        items.CopyTo(array, 0);
        return array;
    }

    internal static object? Scalar(Type type, string text)
    {
        if (type == typeof(string)) return text;
        if (type == typeof(bool)) return text.ToLowerInvariant() switch { "true" or "yes" or "on" => true, "false" or "no" or "off" => false, _ => null };
        if (type.IsEnum) return Enum.TryParse(type, text.Replace("-", ""), ignoreCase: true, out var value) && !char.IsDigit(text[0]) ? value : null;
        if (type == typeof(TimeSpan)) return Times.TryParse(text, out var time) ? time : null;
        if (type == typeof(double)) return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) ? real : null;
        if (type == typeof(long)) return Sizes.TryParse(text, out var bytes) ? bytes : null;
        if (type == typeof(int)) return Sizes.TryParse(text, out var number) && number <= int.MaxValue ? (int)number : null;
        if (type == typeof(System.Net.IPAddress)) return System.Net.IPAddress.TryParse(text, out var ip) ? ip : null;
        if (type == typeof(Rate)) return Rate.TryParse(text, out var rate) ? rate : null;
        if (type == typeof(System.Net.IPNetwork)) return Networks.TryParse(text, out var network) ? network : null;
        if (type == typeof(System.Net.IPEndPoint)) return System.Net.IPEndPoint.TryParse(text, out var point) ? point : null;
        throw new InvalidOperationException($"The settings file knows no values of the type {type}.");
    }

    /// <summary>What a key of this type takes, in words.</summary>
    internal static string Takes(Type type)
    {
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        if (bare == typeof(IReadOnlyDictionary<string, string>)) return "lines of the form \"name: value\"";
        if (bare == typeof(string) || !typeof(IEnumerable).IsAssignableFrom(bare)) return Expected(bare);
        var element = bare.IsArray ? bare.GetElementType()! : bare.GetGenericArguments()[0];
        return IsRecord(element) ? "a list of entries with keys" : $"a list; each {Expected(Nullable.GetUnderlyingType(element) ?? element)}";
    }

    internal static string Expected(Type type) =>
        type == typeof(bool) ? "yes or no"
        : type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(type).Select(KeyName))
        : type == typeof(TimeSpan) ? "a time such as 30s, 5m, 2h or 1d"
        : type == typeof(long) ? "a number or a size such as 500M"
        : type == typeof(int) ? "a number"
        : type == typeof(double) ? "a number"
        : type == typeof(System.Net.IPAddress) ? "an IP address"
        : type == typeof(Rate) ? "a number in a time, such as 100/1h, or off"
        : type == typeof(System.Net.IPNetwork) ? "an IP address or a network such as 192.0.2.0/24"
        : type == typeof(System.Net.IPEndPoint) ? "an IP address with a port"
        : "a text";

    static List<ListenerSettings> ReadListeners(YamlMappingNode? root, string file, Settings settings)
    {
        var node = Child(root, "listeners");
        if (node is not null and not YamlMappingNode and not YamlScalarNode { Value: null or "" })
            throw new SettingsProblem(file, node.Start, "\"listeners\" holds a protocol a line, as in \"imap: off\" or \"smtp: 192.0.2.1:25\"");
        var given = new Dictionary<Protocol, YamlNode>();
        foreach (var (key, value) in (node as YamlMappingNode ?? []).Children)
        {
            var word = (key as YamlScalarNode)?.Value ?? "";
            if (!Enum.TryParse<Protocol>(word, ignoreCase: true, out var protocol) || word.Length == 0 || char.IsDigit(word[0]))
                throw new SettingsProblem(file, key.Start, $"there is no protocol \"{OneLine(word)}\"{Suggest(word, Enum.GetNames<Protocol>().Select(KeyName))}");
            given[protocol] = value;
        }

        var listeners = new List<ListenerSettings>();
        foreach (var (protocol, _) in WellKnownPorts.All)
        {
            if (!given.TryGetValue(protocol, out var value))
            {
                listeners.AddRange(WellKnownPorts.Default(protocol, settings.Evaluation, settings.PortOffset));
                continue;
            }
            foreach (var entry in value is YamlSequenceNode sequence ? sequence.Children : (IList<YamlNode>)[value])
            {
                var text = (entry as YamlScalarNode)?.Value ?? "";
                if (!WellKnownPorts.TryParse(protocol, text, settings.Evaluation, settings.PortOffset, out var some))
                    throw new SettingsProblem(file, entry.Start, $"\"{OneLine(text)}\" is no place to listen at: write off, a port, an address, or address:port, and \"proxy\" behind it if it is behind the PROXY protocol");
                listeners.AddRange(some);
            }
        }
        foreach (var listener in listeners)
            if (listener.Port is < 0 or > 65535)
                throw new SettingsProblem(file, node?.Start ?? Mark.Empty, $"the port {listener.Port} of {KeyName(listener.Protocol.ToString())} is above 65535; choose a smaller offset");
        return listeners;
    }

    static string Suggest(string key, IEnumerable<string> known)
    {
        var nearest = known.Select(word => (word, Distance: Distance(key.ToLowerInvariant().Replace('_', '-'), word))).OrderBy(pair => pair.Distance).FirstOrDefault();
        return nearest.word is not null && nearest.Distance <= Math.Max(1, key.Length / 3) ? $"; did you mean \"{nearest.word}\"?" : "";
    }

    /// <summary>Levenshtein's distance, for suggestions.</summary>
    internal static int Distance(string one, string other)
    {
        if (one.Length > 64 || other.Length > 64) return 64;
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var corner = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, corner + (one[i - 1] == other[j - 1] ? 0 : 1));
                corner = above;
            }
        }
        return row[^1];
    }

    static string OneLine(string text) => new([.. text.Take(200).Select(c => char.IsControl(c) ? ' ' : c)]);

    static bool IsHostname(string name) =>
        name.Length is > 0 and <= 253 && name.Split('.').All(label => label.Length is > 0 and <= 63
            && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'));

    static string MachineName()
    {
        var name = Environment.MachineName.ToLowerInvariant();
        return IsHostname(name) ? name : "localhost";
    }
}
