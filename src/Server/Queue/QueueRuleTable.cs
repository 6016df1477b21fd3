using System.Text.Json;
using System.Text.Json.Serialization;
using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>The rows of the rules: all their SQL.</summary>
internal static class QueueRuleTable
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static List<QueueRule> All(ReadTransaction transaction)
    {
        var all = new List<QueueRule>();
        using var row = transaction.Prepare("SELECT id, filter, note, hits, created FROM queue_rule ORDER BY id");
        while (row.Step())
            all.Add(new QueueRule(row.Int64(0), JsonSerializer.Deserialize<QueueFilter>(row.String(1), Json) ?? new(), row.String(2), row.Int64(3), row.Time(4)));
        return all;
    }

    public static QueueRule Add(WriteTransaction transaction, QueueFilter filter, string note, DateTimeOffset at)
    {
        transaction.Prepare("INSERT INTO queue_rule (action, filter, note, hits, created) VALUES ('hold', ?, ?, 0, ?)")
            .Bind(1, JsonSerializer.Serialize(filter, Json)).Bind(2, note).Bind(3, at).Run();
        return new QueueRule(transaction.LastInsertId, filter, note, 0, at);
    }

    public static bool Remove(WriteTransaction transaction, long id) => transaction.Prepare("DELETE FROM queue_rule WHERE id = ?").Bind(1, id).Run() > 0;

    public static void Hit(WriteTransaction transaction, long id) => transaction.Prepare("UPDATE queue_rule SET hits = hits + 1 WHERE id = ?").Bind(1, id).Run();
}
