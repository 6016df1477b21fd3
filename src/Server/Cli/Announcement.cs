using System.Globalization;
using System.Text;
using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary>What a started server says on standard output: where it listens, and what it is not meant for.</summary>
public static class Announcement
{
    public static async Task WriteAsync(Settings settings, TimeSpan took)
    {
        var text = new StringBuilder();
        if (settings.Evaluation)
            foreach (var line in EvaluationProfile.Banner) text.Append("*** ").Append(line).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"CBA Mail {Version.Text} serves {settings.Hostname} from {settings.Data} (started in {took.TotalMilliseconds:0} ms)\n");
        foreach (var group in settings.Listeners.GroupBy(listener => listener.Protocol))
            text.Append(CultureInfo.InvariantCulture, $"  {SettingsFile.KeyName(group.Key.ToString()),-12} {string.Join(", ", group.Select(Show))}\n");
        await Console.Out.WriteAsync(text.ToString());
        await Console.Out.FlushAsync();
    }

    static string Show(ListenerSettings listener) => listener.Address.Contains(':') ? $"[{listener.Address}]:{listener.Port}" : $"{listener.Address}:{listener.Port}";
}
