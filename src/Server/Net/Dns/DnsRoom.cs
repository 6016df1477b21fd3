using CbaMail.Dns;

namespace CbaMail.Net.Dns;

/// <summary>The resolver as a service, its design note is in DnsResolver.cs; and the public suffix list.</summary>
public static class DnsRoom
{
    public static IServiceCollection AddDns(this IServiceCollection services) =>
        services.AddSingleton<DnsResolver>().AddSingleton<IResolver>(provider => provider.GetRequiredService<DnsResolver>())
            .AddSingleton<SuffixFile>().AddHostedService(provider => provider.GetRequiredService<SuffixFile>());
}
