using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Dns;
using CbaMail.Net.Dns;

namespace CbaMail.Cli;

/// <summary>What a look at the machine found.</summary>
sealed record SetupFinding(string Name, bool Ok, string Sentence);

/// <summary>Looks whether this machine is fit for mail. Nothing found here keeps setup from going on: some of it is mended later, some is known better.</summary>
sealed class SetupChecks(Settings settings, SetupAnswers answers, bool russian, string? dnsServer, string? probe)
{
    const string Provider = "gmail.com";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    readonly DnsAsk ask = Ask(settings, dnsServer);

    static DnsAsk Ask(Settings settings, string? server)
    {
        try { return new(settings with { Dns = settings.Dns with { Timeout = TimeSpan.FromSeconds(2), Rounds = 1 } }, TimeProvider.System, server is null ? [] : [server]); }
        catch (FormatException) { throw new Refused($"--dns-server takes an address as in 192.0.2.1 or 192.0.2.1:53, not \"{server}\"", 2); }
    }

    string Say(string english, string inRussian) => russian ? inRussian : english;

    public async Task<IReadOnlyList<SetupFinding>> RunAsync(Action<string>? show)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        List<Task<SetupFinding>> running =
        [
            Task.Run(Ports), OutwardAsync(late.Token), AddressAsync(late.Token), ReverseAsync(late.Token), ResolverAsync(late.Token), Task.Run(Clock), Task.Run(Disk), Task.Run(Memory),
        ];
        var findings = new List<SetupFinding>();
        foreach (var one in running)
        {
            var finding = await one;
            findings.Add(finding);
            show?.Invoke($"  {Say(finding.Ok ? "ok  " : "LOOK", finding.Ok ? "ок  " : "ВНИМАНИЕ").PadRight(russian ? 8 : 4)}  {Title(finding.Name).PadRight(10)} {finding.Sentence}");
        }
        return findings;
    }

    string Title(string name) => !russian ? name : name switch
    {
        "ports" => "порты",
        "outward" => "наружу",
        "address" => "адрес",
        "reverse" => "PTR",
        "resolver" => "резолвер",
        "clock" => "часы",
        "disk" => "диск",
        "memory" => "память",
        _ => name,
    };

    // ---- ports

    SetupFinding Ports()
    {
        var taken = new List<string>();
        foreach (var listener in settings.Listeners.DistinctBy(listener => listener.Port))
            if (Trouble(listener.Port) is { } trouble) taken.Add(trouble);
        return taken.Count == 0 ? new("ports", true, Say("free: ", "свободны: ") + string.Join(", ", settings.Listeners.Select(listener => listener.Port).Distinct().Order()))
            : new("ports", false, string.Join("; ", taken));
    }

    string? Trouble(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ExclusiveAddressUse = false };
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            socket.Listen();
            return null;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            return Say($"port {port} may be opened only by root or with CAP_NET_BIND_SERVICE", $"порт {port} может открыть только root или CAP_NET_BIND_SERVICE");
        }
        catch (SocketException)
        {
            var owner = PortOwner.Of(port);
            return owner is null ? Say($"port {port} is taken by another program", $"порт {port} занят другой программой")
                : Say($"port {port} is taken by {owner}: stop it first", $"порт {port} занят программой {owner}: сначала остановите её");
        }
    }

    // ---- the world outside

    async Task<SetupFinding> OutwardAsync(CancellationToken cancel)
    {
        var (host, port) = (Provider, 25);
        try
        {
            if (probe is not null && (probe.LastIndexOf(':') is not (> 0 and var colon) || !int.TryParse(probe[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port))) throw new Refused($"--probe takes HOST:PORT, not \"{probe}\"", 2);
            host = probe is not null ? probe[..probe.LastIndexOf(':')] : (await ask.MxAsync(Provider, cancel)).Records.OrderBy(mx => mx.Preference).Select(mx => mx.Exchange).FirstOrDefault() ?? Provider;
            using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            late.CancelAfter(Patience);
            using var socket = new TcpClient();
            await socket.ConnectAsync(host, port, late.Token);
            using var reader = new StreamReader(socket.GetStream());
            var greeting = await reader.ReadLineAsync(late.Token) ?? "";
            if (greeting.StartsWith("220", StringComparison.Ordinal)) return new("outward", true, Say($"port 25 is open outward ({host} greets)", $"порт 25 наружу открыт ({host} здоровается)"));
            return new("outward", false, Say($"{host} refuses this address: {Short(greeting)}", $"{host} отказывает этому адресу: {Short(greeting)}"));
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            return new("outward", false, Say($"{host} cannot be reached at port {port}: many hosters close port 25 outward until they are asked to open it", $"{host} недоступен по порту {port}: многие хостеры открывают порт 25 наружу только по просьбе"));
        }
    }

    static string Short(string text) => new([.. text.Take(120).Where(c => !char.IsControl(c))]);

    static List<IPAddress> Own() => [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(one => one.GetIPProperties().UnicastAddresses).Select(one => one.Address)
        .Where(address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal)];

    async Task<List<IPAddress>> PublishedAsync(CancellationToken cancel) =>
        [.. (await ask.AddressesAsync(answers.Hostname, v6: false, cancel)).Records, .. (await ask.AddressesAsync(answers.Hostname, v6: true, cancel)).Records];

    async Task<SetupFinding> AddressAsync(CancellationToken cancel)
    {
        var (published, own) = (await PublishedAsync(cancel), Own());
        if (published.Count == 0) return new("address", false, Say($"{answers.Hostname} has no address in DNS yet: publish an A record (AAAA for IPv6)", $"у {answers.Hostname} ещё нет адреса в DNS: опубликуйте запись A (и AAAA для IPv6)"));
        var list = string.Join(", ", published);
        return published.Exists(own.Contains) || published.TrueForAll(IPAddress.IsLoopback) ? new("address", true, $"{answers.Hostname}: {list}")
            : new("address", false, Say($"{answers.Hostname} leads to {list}, which no interface of this machine has: right only behind a router that forwards the ports", $"{answers.Hostname} ведёт на {list}, а у этой машины такого адреса нет: верно, только если порты пробрасывает маршрутизатор"));
    }

    async Task<SetupFinding> ReverseAsync(CancellationToken cancel)
    {
        var published = await PublishedAsync(cancel);
        if (published.Count == 0) return new("reverse", true, Say("to be looked at when the name has an address: your hoster sets it", "проверим, когда у имени будет адрес: её ставит хостер"));
        foreach (var address in published)
        {
            var names = (await ask.PtrAsync(address, cancel)).Records;
            if (!names.Any(name => DnsName.Same(name, answers.Hostname)))
                return new("reverse", false, Say($"the reverse record (PTR) of {address} is {(names.Count > 0 ? names[0] : "missing")}: have your hoster set it to {answers.Hostname}", $"обратная запись (PTR) адреса {address}: {(names.Count > 0 ? names[0] : "нет")}; попросите хостера поставить {answers.Hostname}"));
        }
        return new("reverse", true, Say($"leads back to {answers.Hostname}", $"ведёт обратно на {answers.Hostname}"));
    }

    async Task<SetupFinding> ResolverAsync(CancellationToken cancel)
    {
        if (!ask.HasServers) return new("resolver", false, Say("no DNS server is set in /etc/resolv.conf", "в /etc/resolv.conf нет сервера DNS"));
        var root = await ask.FindAsync("org", DnsType.Soa, cancel);
        if (root.Status == DnsStatus.Failed) return new("resolver", false, Say("the DNS servers of this machine do not answer", "серверы DNS этой машины не отвечают"));
        return root.Authenticated ? new("resolver", true, Say("checks signatures (DNSSEC); where it runs on this machine, set dns.trust-authenticated: yes, and DANE protects what is sent", "проверяет подписи (DNSSEC); если он на этой машине, задайте dns.trust-authenticated: yes, и DANE защитит исходящую почту"))
            : new("resolver", false, Say("does not check signatures (DNSSEC): a resolver such as unbound on this machine lets DANE work", "не проверяет подписи (DNSSEC): с резолвером вроде unbound на этой машине заработает DANE"));
    }

    // ---- the machine

    SetupFinding Clock()
    {
        var isKept = File.Exists("/run/systemd/timesync/synchronized") || PortOwner.Runs("chronyd", "ntpd", "ntpd-rs", "openntpd", "systemd-timesyn");
        return isKept ? new("clock", true, Say("a time service runs", "служба времени работает"))
            : new("clock", false, Say("no time service was found (systemd-timesyncd, chrony): signatures and certificates need the right time", "служба времени не найдена (systemd-timesyncd, chrony): подписям и сертификатам нужно верное время"));
    }

    SetupFinding Disk()
    {
        var place = answers.Data;
        while (!System.IO.Directory.Exists(place) && Path.GetDirectoryName(place) is { } above) place = above;
        var free = new DriveInfo(place).AvailableFreeSpace;
        return free >= 2L << 30 ? new("disk", true, Say($"{Sizes.Show(free)} free", $"свободно {Sizes.Show(free)}"))
            : new("disk", false, Say($"only {Sizes.Show(free)} free where {answers.Data} lies", $"всего {Sizes.Show(free)} свободно там, где {answers.Data}"));
    }

    SetupFinding Memory()
    {
        var total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return total >= 900L << 20 ? new("memory", true, Sizes.Show(total)) : new("memory", false, Say($"{Sizes.Show(total)}; 1 GB is what it is made for", $"{Sizes.Show(total)}; рассчитано на 1 ГБ"));
    }
}
