using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CbaMail.Config;

/// <summary>
/// The settings that are set by the API, in a file of the data directory (<see cref="SettingsFile.Own"/>) that is read before the settings file.
/// They count from the next start on.
/// </summary>
public static class OwnSettings
{
    /// <summary>The file's new text.</summary>
    /// <param name="text">The text that it has.</param>
    /// <param name="changes">Key by key: one value, several for a list, or null, which takes the key away.</param>
    /// <returns>The text, or a sentence that says which key or value is wrong.</returns>
    public static (string Text, string? Problem) Change(Settings running, string text, IReadOnlyDictionary<string, IReadOnlyList<string>?> changes)
    {
        var (file, problem) = SettingsFileText(running);
        if (problem is not null) return ("", problem);
        var stream = new YamlStream();
        try { stream.Load(new StringReader(text)); }
        catch (YamlException e) { return ("", $"{SettingsFile.Own}, line {e.Start.Line}: this is not YAML; mend it or take it away"); }
        var root = stream.Documents.Count > 0 && stream.Documents[0].RootNode is YamlMappingNode mapping ? mapping : [];
        foreach (var (key, values) in changes)
        {
            Set(root, key.Split('.'), values is null ? null : values.Count == 1 ? Scalar(values[0]) : new YamlSequenceNode(values.Select(Scalar)));
        }
        using var written = new StringWriter { NewLine = "\n" };
        if (root.Children.Count > 0) new YamlStream(new YamlDocument(root)).Save(written, assignAnchors: false);
        var next = written.ToString().Replace("\r\n", "\n", StringComparison.Ordinal);
        next = next.EndsWith("...\n", StringComparison.Ordinal) ? next[..^4] : next;
        return SettingsFile.Parse(file, running.File ?? "", running.Flags, next) is { Problem: { } wrong } loaded ? ("", loaded.Sentence ?? wrong) : (next, null);
    }

    /// <summary>All settings as they would be after the next start, or the sentence that says why there would be none.</summary>
    public static (IReadOnlyList<Setting> Rows, string? Problem) Next(Settings running, string text)
    {
        var (file, problem) = SettingsFileText(running);
        if (problem is not null) return ([], problem);
        var loaded = SettingsFile.Parse(file, running.File ?? "", running.Flags, text);
        return loaded.Settings is { } next ? (SettingsTable.Of(next), null) : ([], loaded.Problem);
    }

    static (string Text, string? Problem) SettingsFileText(Settings running)
    {
        try { return (running.File is null ? "" : File.ReadAllText(running.File), null); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return ("", $"The settings file {running.File} cannot be read: {e.Message}"); }
    }

    static YamlScalarNode Scalar(string value) => new(value) { Style = value.Length == 0 ? ScalarStyle.DoubleQuoted : ScalarStyle.Any };

    /// <summary>Makes the mappings on the way, and takes away those that become empty.</summary>
    static void Set(YamlMappingNode node, ReadOnlySpan<string> path, YamlNode? value)
    {
        var key = new YamlScalarNode(path[0]);
        if (path.Length == 1)
        {
            node.Children.Remove(key);
            if (value is not null) node.Add(key, value);
            return;
        }
        if (!node.Children.TryGetValue(key, out var below) || below is not YamlMappingNode inner)
        {
            if (value is null) return;
            node.Children.Remove(key);
            node.Add(key, inner = []);
        }
        Set(inner, path[1..], value);
        if (inner.Children.Count == 0) node.Children.Remove(key);
    }
}
