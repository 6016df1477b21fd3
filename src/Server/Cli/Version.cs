using System.Reflection;

namespace CbaMail.Cli;

/// <summary>The release, from Directory.Build.props.</summary>
public static class Version
{
    public static string Text { get; } =
        (typeof(Version).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];
}
