namespace CbaMail.Inbound;

/// <summary>How the filters of the settings are, for those who look after the server.</summary>
public sealed class FilterStates
{
    readonly List<(string Name, Func<string?> Problem)> filters = [];
    readonly Lock gate = new();

    internal void Add(string name, Func<string?> problem)
    {
        lock (gate) filters.Add((name, problem));
    }

    /// <summary>Each filter with why it is left alone now, or null.</summary>
    public IReadOnlyList<(string Name, string? Problem)> All
    {
        get { lock (gate) return filters.ConvertAll(filter => (filter.Name, filter.Problem())); }
    }
}
