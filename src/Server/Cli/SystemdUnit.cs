namespace CbaMail.Cli;

/// <summary>How the server is started once setup is done: by hand, and as a service of systemd whose unit is printed by <c>setup --unit</c>.</summary>
static class SystemdUnit
{
    static string Program => Environment.ProcessPath ?? "cbamail";

    public static string StartByHand(SetupAnswers answers) => $"{Program} serve --config {answers.Config}";

    /// <summary>The command that writes the unit; for a server with places of its own what to read instead.</summary>
    public static string Install(SetupAnswers answers, string otherwise) =>
        answers.Config == DataPlace.SettingsFile ? "cbamail setup --unit > /etc/systemd/system/cbamail.service && systemctl enable --now cbamail" : otherwise;

    /// <summary>
    /// A unit for the user and the group cbamail: the well-known ports without root, the data directory writable, the rest of the machine
    /// read-only. SIGHUP takes new certificate files; SIGTERM stops when what was acknowledged is on the disk.
    /// </summary>
    public static string Text(string config, string data) => $"""
        # /etc/systemd/system/cbamail.service, made by "cbamail setup --unit". Once, as root:
        #   useradd --system --home-dir {data} --shell /usr/sbin/nologin cbamail
        #   chown -R cbamail: {data} {Path.GetDirectoryName(config)}
        [Unit]
        Description=CBA Mail
        Wants=network-online.target
        After=network-online.target nss-lookup.target time-sync.target

        [Service]
        User=cbamail
        Group=cbamail
        ExecStart={Program} serve --config {config}
        ExecReload=/bin/kill -HUP $MAINPID
        Restart=on-failure
        RestartSec=2
        TimeoutStopSec=30
        LimitNOFILE=65536
        AmbientCapabilities=CAP_NET_BIND_SERVICE
        CapabilityBoundingSet=CAP_NET_BIND_SERVICE
        Environment=DOTNET_gcServer=0 DOTNET_GCgen0size=400000
        UMask=0077
        NoNewPrivileges=yes
        ProtectSystem=strict
        ReadWritePaths={data}
        ProtectHome=yes
        PrivateTmp=yes
        PrivateDevices=yes
        ProtectKernelTunables=yes
        ProtectKernelModules=yes
        ProtectControlGroups=yes
        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
        RestrictSUIDSGID=yes
        LockPersonality=yes

        [Install]
        WantedBy=multi-user.target

        """;
}
