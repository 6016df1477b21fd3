using System.Globalization;

namespace CbaMail.Bench;

/// <summary>Prints tables as they fill: a row a figure, with the goal and the peer's figure where there is one.</summary>
internal sealed class Report
{
    public int Failures { get; private set; }

    public void Machine()
    {
        var cpu = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        var load = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "?";
        Console.WriteLine($"{Environment.ProcessorCount} x {cpu ?? "CPU"}, load {load}, {DateTimeOffset.Now:yyyy-MM-dd HH:mm}");
    }

    public void Begin(string name, string what)
    {
        Console.WriteLine();
        Console.WriteLine($"{name}: {what}");
        Console.WriteLine($"  {"figure",-46} {"measured",14}   {"goal",-14} peer");
    }

    /// <param name="peer">Postfix + Dovecot on the machine where the goals were set.</param>
    public void Row(string figure, double value, string unit, string goal = "", string peer = "")
    {
        var number = value >= 100 ? value.ToString("N0", CultureInfo.InvariantCulture) : value.ToString("0.##", CultureInfo.InvariantCulture);
        Console.WriteLine($"  {figure,-46} {number + " " + unit,14}   {goal,-14} {peer}");
    }

    public void Note(string line) => Console.WriteLine("  " + line);

    public void Failed(string sentence)
    {
        Failures++;
        Console.WriteLine($"  FAILED: {sentence}");
    }
}
