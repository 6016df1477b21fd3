using System.Reflection.Metadata;
using Xunit;

namespace CbaMail.Tests.House;

/// <summary>Files that a person can hold in mind: 500 lines a file, 80 lines a method where protocols are spoken.</summary>
public class FileLengthTest
{
    private const int LongestFile = 500;
    private const int LongestMethod = 80;
    private static readonly string[] ProtocolRooms = ["src/Server/Smtp/", "src/Server/Imap/", "src/Server/Inbound/", "src/Server/Delivery/"];

    [Fact]
    public void No_file_is_longer_than_500_lines_but_those_listed()
    {
        var listed = Repository.Entries("tests/House/long-files.txt")
            .Select(l => l.Split(' ', 3)).ToDictionary(p => p[0], p => int.Parse(p[1], null));
        List<string> breaches = [];
        foreach (var file in Repository.CSharp("src", "tests", "bench"))
        {
            var lines = Repository.Lines(file).Length;
            var most = listed.Remove(file, out var allowed) ? allowed : LongestFile;
            if (lines > most) breaches.Add($"{file} has {lines} lines, {most} are the most");
            else if (allowed > 0 && lines <= LongestFile) breaches.Add($"{file} has {lines} lines: take it off long-files.txt");
        }
        breaches.AddRange(listed.Keys.Select(gone => $"{gone} is gone: take it off long-files.txt"));
        Breach.None(breaches);
    }

    [Fact]
    public void No_method_of_a_protocol_room_is_longer_than_80_lines()
    {
        using var stream = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "cbamail.pdb"));
        using var provider = MetadataReaderProvider.FromPortablePdbStream(stream);
        var symbols = provider.GetMetadataReader();
        SortedSet<string> breaches = [];
        foreach (var handle in symbols.MethodDebugInformation)
        {
            var points = symbols.GetMethodDebugInformation(handle).GetSequencePoints().Where(p => !p.IsHidden).ToList();
            if (points.Count == 0) continue;
            var file = symbols.GetString(symbols.GetDocument(points[0].Document).Name).Replace('\\', '/');
            if (!ProtocolRooms.Any(room => file.Contains(room, StringComparison.Ordinal))) continue;
            // field initialisers belong to a constructor and are spread over the class: only what hangs together is a body
            var (first, last) = (points.Min(p => p.StartLine), points.Max(p => p.EndLine));
            var isConstructor = points.Zip(points.Skip(1)).Any(p => p.Second.StartLine < p.First.StartLine - LongestMethod);
            if (last - first + 1 > LongestMethod && !isConstructor && !IsInitialiser(file, points))
                breaches.Add($"{file}:{first}: {last - first + 1} lines, {LongestMethod} are the most");
        }
        Breach.None(breaches);
    }

    /// <summary>A table written as a field initialiser (the rows of XCommands) is data, not a method: no statement begins with a brace.</summary>
    private static bool IsInitialiser(string file, List<SequencePoint> points)
    {
        var lines = File.ReadAllLines(file);
        return points.All(p => p.StartLine > lines.Length || lines[p.StartLine - 1].Trim() != "{");
    }
}
