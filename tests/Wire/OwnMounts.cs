using System.Net;

namespace CbaMail.Tests.Wire;

/// <summary>
/// A view of the file system for one program, in which single files of /etc are others (a mount namespace): daemons that know no other way
/// than /etc/resolv.conf then ask the test's resolver, and have the user that their package would have made. The machine's files stay as they are.
/// </summary>
internal static class OwnMounts
{
    private static readonly (string Name, int Id)[] Users = [("postfix", 9024), ("Debian-exim", 9025)];

    /// <summary>Why no such view can be had here, or null.</summary>
    public static async Task<string?> ObstacleAsync()
    {
        if (Environment.UserName != "root") return "other mail servers listen on port 25 and see files of /etc of their own: this needs root (run ./test as root)";
        var ran = await Tool.RunAsync("unshare", "-m", "true");
        return ran.ExitCode == 0 ? null : $"unshare -m does not work here, so other mail servers cannot be given a resolver of the test's own: {ran.All.Trim()}";
    }

    /// <summary>Program and arguments that start another one, which they become.</summary>
    /// <param name="folder">Holds the files that are seen instead.</param>
    public static async Task<string[]> PrefixAsync(string folder, IPAddress resolver)
    {
        // glibc passes the AD bit on only where the file says that the resolver is trusted
        await File.WriteAllTextAsync(Path.Combine(folder, "resolv.conf"), $"nameserver {resolver}\noptions trust-ad edns0\n");
        await CopyAsync("passwd", (name, id) => $"{name}:x:{id}:{id}::/nonexistent:/usr/sbin/nologin", [.. Users]);
        await CopyAsync("group", (name, id) => $"{name}:x:{id}:", [.. Users, ("postdrop", 9026)]);
        return ["unshare", "-m", "sh", "-c", $"for file in resolv.conf passwd group; do mount --bind {folder}/$file /etc/$file || exit 1; done; exec \"$@\"", "sh"];

        async Task CopyAsync(string file, Func<string, int, string> line, (string Name, int Id)[] wanted)
        {
            var lines = (await File.ReadAllLinesAsync("/etc/" + file)).ToList();
            foreach (var (name, id) in wanted)
                if (!lines.Any(one => one.StartsWith(name + ":", StringComparison.Ordinal))) lines.Add(line(name, id));
            await File.WriteAllLinesAsync(Path.Combine(folder, file), lines);
        }
    }

    /// <summary>The number of a user as programs in the view see it.</summary>
    public static async Task<int> UserAsync(string folder, string name) =>
        int.Parse((await File.ReadAllLinesAsync(Path.Combine(folder, "passwd"))).First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split(':')[2], null);
}
