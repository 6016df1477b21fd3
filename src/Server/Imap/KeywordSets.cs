using System.Text;

namespace CbaMail.Imap;

/// <summary>The different sets of keywords that messages have, each kept once.</summary>
internal sealed class KeywordSets
{
    readonly Dictionary<string, int> numbers = [];
    readonly List<(string? Text, string[] Names, byte[] Wire)> sets = [(null, [], [])];
    readonly List<string> names = [];
    readonly HashSet<string> known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Distinct keywords.</summary>
    public int Count => names.Count;
    public IReadOnlyList<string> Names => names;

    public int Intern(string? keywords)
    {
        if (string.IsNullOrEmpty(keywords)) return 0;
        if (numbers.TryGetValue(keywords, out var number)) return number;
        var list = keywords.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < list.Length; i++)
        {
            if (known.Add(list[i])) names.Add(list[i]);
            // one string for all the sets that it is in
            else if (known.TryGetValue(list[i], out var same) && same == list[i]) list[i] = same;
        }
        sets.Add((keywords, list, Encoding.ASCII.GetBytes(' ' + string.Join(' ', list))));
        return numbers[keywords] = sets.Count - 1;
    }

    /// <summary>All of them, in the order of their numbers.</summary>
    public string?[] Texts => [.. sets.Select(set => set.Text)];

    /// <summary>As the vault keeps it.</summary>
    public string? Text(int set) => sets[set].Text;

    public bool Has(int set, string keyword) => sets[set].Names.Contains(keyword, StringComparer.OrdinalIgnoreCase);

    /// <summary>" $Forwarded $Junk", or nothing.</summary>
    public byte[] Wire(int set) => sets[set].Wire;
}
