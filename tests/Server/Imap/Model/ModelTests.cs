using System.Globalization;
using Xunit;

namespace CbaMail.Tests.Server.Imap.Model;

/// <summary>
/// Several clients of different manners on one account do what comes to their minds, and a simple model explains every line that they are told: see
/// <see cref="ModelWorld"/>, <see cref="ModelView"/>. Mostly one acts at a time and the model knows everything; now and then all act at once, and then
/// what each is told is checked against itself, and afterwards against what has become.
/// CBAMAIL_MODEL_SEED and CBAMAIL_MODEL_STEPS play another world, or the same one for longer.
/// </summary>
[Collection("imap")]
public sealed class ModelTests(ImapFixture fixture, ITestOutputHelper output)
{
    const int Worlds = 5, Clients = 4;

    [Fact]
    public async Task Every_response_can_be_explained()
    {
        var first = From("CBAMAIL_MODEL_SEED", 0);
        var steps = From("CBAMAIL_MODEL_STEPS", first == 0 ? 10_000 / Worlds : 10_000);
        int[] seeds = first == 0 ? [.. Enumerable.Range(1, Worlds - 1), Random.Shared.Next(1000, 1_000_000)] : [first]; // the last is one that nobody has chosen
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{steps} steps with each of the seeds {string.Join(", ", seeds)}"));
        await Task.WhenAll(seeds.Select(seed => Task.Run(() => PlayAsync(seed, steps))));
    }

    static int From(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    async Task PlayAsync(int seed, int steps)
    {
        var world = new ModelWorld(fixture, await fixture.AccountAsync(), seed);
        world.Reload();
        var random = new Random(seed);
        var clients = new List<ModelSteps>();
        for (var i = 1; i <= Clients; i++)
        {
            var its = new Random(random.Next());
            clients.Add(new ModelSteps(world, new ModelPeer(world, i, its), its));
            await clients[^1].Peer.ConnectAsync();
        }
        for (world.Step = 0; world.Step < steps; world.Step++)
        {
            try
            {
                if (random.Next(150) == 0) await WildAsync(world, clients);
                else if (random.Next(150) == 0) await DuelAsync(world, clients, random);
                else if (random.Next(400) == 0) await fixture.ForgetExpungedAsync();
                else await clients[random.Next(Clients)].StepAsync();
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                throw world.Wrong(e.ToString());
            }
        }
        foreach (var client in clients) await client.Peer.LeaveAsync();
    }

    /// <summary>All at once.</summary>
    static async Task WildAsync(ModelWorld world, List<ModelSteps> clients)
    {
        var awake = clients.Where(c => c.Peer is { View: not null, IsIdle: false, IsDoomed: false }).ToList();
        world.Say("-- all at once");
        world.IsWild = true;
        await Task.WhenAll(awake.Select(c => Task.Run(c.RunWildAsync)));
        await CalmAsync(world, clients);
    }

    static async Task CalmAsync(ModelWorld world, List<ModelSteps> clients)
    {
        var listening = clients.Where(c => c.Peer is { View: not null, IsIdle: false, IsDoomed: false }).ToList();
        foreach (var client in listening) await client.Peer.OkAsync("NOOP");
        world.IsWild = false;
        world.Reload();
        foreach (var client in listening) client.Peer.View!.Settle(expunges: true);
        world.Say("-- one at a time");
    }

    /// <summary>RFC 7162 3.1.3: of those who change what nobody is to have changed since, one wins.</summary>
    static async Task DuelAsync(ModelWorld world, List<ModelSteps> clients, Random random)
    {
        var side = clients.Where(c => c.Peer is { View.IsReadOnly: false, IsIdle: false, IsDoomed: false }).GroupBy(c => c.Peer.View!.Box).MaxBy(g => g.Count())?.ToList();
        if (side is not { Count: > 1 } || side[0].Peer.View!.Box.Letters is not { Count: > 0 } letters) return;
        var letter = letters.Values[random.Next(letters.Count)];
        foreach (var client in side) await client.NoopAsync();
        world.Say($"-- a duel for UID {letter.Uid}");
        world.IsWild = true;
        var since = letter.ModSeq;
        var answers = await Task.WhenAll(side.Select((client, i) => Task.Run(() => client.DuelAsync(letter.Uid, since, letter.Flags ^ (i + 1)))));
        await CalmAsync(world, clients);
        var winners = answers.Index().Where(a => a.Item.Code.Length == 0).ToList();
        world.Demand(winners.Count == 1, $"{winners.Count} have won the duel for UID {letter.Uid}: {string.Join(", ", answers.Select(a => a.Code))}");
        world.Demand(letter.IsGone || letters[letter.Uid].Flags == answers[winners[0].Index].Flagged, $"UID {letter.Uid} does not have the flags of the winner");
    }
}
