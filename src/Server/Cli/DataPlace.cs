namespace CbaMail.Cli;

/// <summary>
/// Which data directory is meant where no --data says so: <c>CBAMAIL_DATA</c>, else ./data where there is one, else what the settings
/// file that setup writes for root names. So <c>cbamail status</c> on an installed server needs no option, and one in a source tree
/// means that tree's.
/// </summary>
static class DataPlace
{
    public const string SettingsFile = "/etc/cbamail/cbamail.yaml";
    public const string Directory = "/var/lib/cbamail";
    const string Here = "data";

    public static string Standard() => Standard(Environment.GetEnvironmentVariable("CBAMAIL_DATA"), Environment.CurrentDirectory, SettingsFile, Directory);

    internal static string Standard(string? variable, string current, string settingsFile, string installed)
    {
        if (!string.IsNullOrEmpty(variable)) return variable;
        if (System.IO.Directory.Exists(Path.Combine(current, Here))) return Here;
        if (File.Exists(settingsFile) && Config.SettingsFile.Load(new(settingsFile)).Settings is { } settings) return settings.Data;
        return System.IO.Directory.Exists(installed) ? installed : Here;
    }
}
