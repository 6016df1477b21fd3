using System.Text;
using System.Text.Json;
using CbaMail.Cli;
using Xunit;

namespace CbaMail.Tests.Server.Cli;

public class CheckMimeTests
{
    static JsonElement[] Run(string[] files, bool lines, string stdin, int exit = 0)
    {
        var output = new StringWriter();
        Assert.Equal(exit, CheckMime.Run(files, lines, new MemoryStream(Encoding.UTF8.GetBytes(stdin)), output));
        return [.. output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    [Fact]
    public void Lines_keep_their_ids_and_errors_do_not_stop_the_run()
    {
        var good = Convert.ToBase64String("Subject: =?utf-8?B?0J8=?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n0J8=\r\n"u8);
        var results = Run([], true, $"{{\"id\":7,\"message\":\"{good}\"}}\nnot json\n{{\"id\":\"x\"}}\n{{\"id\":\"y\",\"message\":\"***\"}}\n[1]\n{{\"id\":\"z\",\"message\":\"\"}}\n");
        Assert.Equal(6, results.Length);
        Assert.Equal(7, results[0].GetProperty("id").GetInt32());
        Assert.Equal("П", results[0].GetProperty("headers")[0].GetProperty("value").GetString());
        Assert.Equal("utf-8", results[0].GetProperty("parameters").GetProperty("charset").GetString());
        Assert.Equal(2, results[0].GetProperty("size").GetInt32());
        Assert.All(results[1..5], result => Assert.True(result.TryGetProperty("error", out _)));
        Assert.Equal("y", results[3].GetProperty("id").GetString());
        Assert.Equal("text", results[5].GetProperty("type").GetString());
    }

    [Fact]
    public void A_file_that_is_missing_is_one_error()
    {
        var results = Run(["/nonexistent.eml"], false, "", exit: 1);
        Assert.Equal("/nonexistent.eml", results.Single().GetProperty("file").GetString());
        Assert.True(results.Single().TryGetProperty("error", out _));
    }

    /// <summary>tests/Vectors/mime: each message and what is made of it.</summary>
    [Theory]
    [MemberData(nameof(Vectors))]
    public void Vectors_read_as_they_should(string name)
    {
        var directory = Folder();
        var json = Run([Path.Combine(directory, name + ".eml")], false, "").Single();
        var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(directory, name + ".json"))).RootElement;
        AssertContains(expected, json, name);
    }

    public static TheoryData<string> Vectors() => [.. System.IO.Directory.GetFiles(Folder(), "*.eml").Select(file => Path.GetFileNameWithoutExtension(file)).Order()];

    static string Folder()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (System.IO.Directory.Exists(Path.Combine(at.FullName, "Vectors", "mime"))) return Path.Combine(at.FullName, "Vectors", "mime");
        throw new DirectoryNotFoundException("tests/Vectors/mime");
    }

    /// <summary>What the vector names must be so; what it leaves out is free.</summary>
    static void AssertContains(JsonElement expected, JsonElement actual, string path)
    {
        if (expected.ValueKind == JsonValueKind.Object)
            foreach (var property in expected.EnumerateObject())
            {
                Assert.True(actual.TryGetProperty(property.Name, out var value), $"{path}.{property.Name} is missing");
                AssertContains(property.Value, value, $"{path}.{property.Name}");
            }
        else if (expected.ValueKind == JsonValueKind.Array)
        {
            Assert.True(expected.GetArrayLength() == actual.GetArrayLength(), $"{path} has {actual.GetArrayLength()} items");
            for (var i = 0; i < expected.GetArrayLength(); i++) AssertContains(expected[i], actual[i], $"{path}[{i}]");
        }
        else Assert.Equal($"{path}={expected}", $"{path}={actual}");
    }
}
