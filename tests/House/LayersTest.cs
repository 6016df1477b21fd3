using CbaMail.Tests.House.Planted.High;
using CbaMail.Tests.House.Planted.Low;
using Xunit;

namespace CbaMail.Tests.House;

/// <summary>docs/layers.txt is the order of the house; this reads it and the compiled code.</summary>
public class LayersTest
{
    private static readonly RoomOrder Order = new(Repository.Lines("docs/layers.txt"), "CbaMail");

    /// <summary>What bytes-in, bytes-out code has no business with: the world outside its arguments.</summary>
    private static readonly string[] OutsideFormats =
    [
        "System.Net.Sockets.Socket", "System.Net.Sockets.Tcp", "System.Net.Sockets.Udp", "System.Net.Sockets.NetworkStream", "System.Net.Http.", "System.Net.Dns.", "System.Net.Security.", "System.Diagnostics.Process.",
        "System.IO.File.", "System.IO.FileInfo.", "System.IO.FileStream.", "System.IO.Directory.", "System.IO.DirectoryInfo.",
        "System.IO.Path.GetTemp", "System.Console.", "System.Threading.Thread.", "System.Threading.Timer.",
        "System.TimeProvider.get_System", "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today",
        "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow", "System.Environment.get_TickCount",
        "System.Diagnostics.Stopwatch.", "System.Environment.GetEnvironmentVariable", "Microsoft.Extensions.", "Microsoft.AspNetCore.",
    ];

    private static string AssemblyOf(string name) => Path.Combine(AppContext.BaseDirectory, name + ".dll");

    [Theory]
    [InlineData("cbamail")]
    [InlineData("CbaMail.Formats")]
    public void Rooms_use_only_what_is_below_them(string assembly)
    {
        using var code = new CompiledUses(AssemblyOf(assembly));
        Breach.None(Order.Breaches(code.All()).Distinct().Order());
    }

    [Fact]
    public void Formats_and_server_hold_the_rooms_of_their_side()
    {
        List<string> misplaced = [];
        foreach (var (assembly, formats) in new[] { ("cbamail", false), ("CbaMail.Formats", true) })
        {
            using var code = new CompiledUses(AssemblyOf(assembly));
            foreach (var (ns, name) in code.Types())
            {
                if (!Order.IsOurs(ns)) continue;
                var room = Order.RoomOf(ns);
                if (room is null) misplaced.Add($"{ns}.{name}: no such room in docs/layers.txt");
                else if (Order.IsFormats(room) != formats) misplaced.Add($"{ns}.{name}: {room} does not belong in {assembly}");
            }
        }
        Breach.None(misplaced);
    }

    [Fact]
    public void Formats_touch_no_socket_file_process_clock_or_log()
    {
        using var code = new CompiledUses(AssemblyOf("CbaMail.Formats"));
        Breach.None(code.All().Where(u => OutsideFormats.Any(o => $"{u.ToNamespace}.{u.ToType}.{u.Member}".StartsWith(o, StringComparison.Ordinal))));
    }

    [Fact]
    public void Namespaces_follow_the_folders()
    {
        List<string> strays = [];
        foreach (var file in Repository.CSharp("src/Formats", "src/Server"))
        {
            var folders = Path.GetDirectoryName(file)!.Replace('\\', '/').Split('/').Skip(2);
            var expected = string.Join('.', folders.Prepend("CbaMail"));
            var line = Array.Find(Repository.Lines(file), l => l.StartsWith("namespace ", StringComparison.Ordinal));
            if (line is not null && line != $"namespace {expected};") strays.Add($"{file}: {line} (expected {expected})");
        }
        Breach.None(strays);
    }

    [Theory]
    [InlineData(nameof(PlantedField))]
    [InlineData(nameof(PlantedRelativeName))]
    [InlineData(nameof(PlantedBody))]
    [InlineData(nameof(PlantedLambda))]
    [InlineData(nameof(PlantedAsync))]
    [InlineData(nameof(PlantedGenericArgument))]
    [InlineData(nameof(PlantedTypeOf))]
    [InlineData(nameof(PlantedCatch))]
    [InlineData(nameof(PlantedBase))]
    [InlineData(nameof(PlantedAttribute))]
    [InlineData(nameof(PlantedReturn))]
    public void A_planted_upward_use_is_found(string plant)
    {
        var order = new RoomOrder(["High", "Low Beside"], "CbaMail.Tests.House.Planted");
        using var code = new CompiledUses(AssemblyOf("CbaMail.Tests"));
        Assert.Contains(order.Breaches(code.All()), b => b.Contains($"Planted.Low.{plant} ", StringComparison.Ordinal)
            && b.Contains("Low stands below High", StringComparison.Ordinal));
    }

    [Fact]
    public void A_sideways_use_and_an_unknown_room_are_found_and_a_downward_use_is_not()
    {
        using var code = new CompiledUses(AssemblyOf("CbaMail.Tests"));
        var uses = code.All();
        var sideways = new RoomOrder(["High", "Low Beside"], "CbaMail.Tests.House.Planted").Breaches(uses).ToList();
        Assert.Contains(sideways, b => b.Contains("Low stands beside Beside", StringComparison.Ordinal));
        Assert.DoesNotContain(sideways, b => b.Contains(nameof(UsesDownward), StringComparison.Ordinal));
        Assert.Contains(new RoomOrder(["Low"], "CbaMail.Tests.House.Planted").Breaches(uses),
            b => b == "CbaMail.Tests.House.Planted.High is no room of docs/layers.txt");
    }

    [Fact]
    public void Every_listed_room_of_smtp_is_told_apart()
    {
        Assert.Equal("Smtp.Server", Order.RoomOf("CbaMail.Smtp.Server.Commands"));
        Assert.Equal("Smtp.Client", Order.RoomOf("CbaMail.Smtp.Client"));
        Assert.Equal("Net", Order.RoomOf("CbaMail.Net.Dns"));
        Assert.Equal("Dns", Order.RoomOf("CbaMail.Dns"));
        Assert.Equal("Program", Order.RoomOf("CbaMail"));
        Assert.Null(Order.RoomOf("CbaMail.Smtp"));
        Assert.Null(Order.RoomOf("CbaMail.Helpers"));
    }
}
