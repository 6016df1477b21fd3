using Xunit;

namespace CbaMail.Tests.House;

/// <summary>Says every breach in full: a list cut short helps nobody mend it.</summary>
internal static class Breach
{
    public static void None<T>(IEnumerable<T> found)
    {
        var all = found.Select(f => f?.ToString()).ToList();
        if (all.Count > 0) Assert.Fail($"{all.Count} found:\n" + string.Join("\n", all));
    }
}
