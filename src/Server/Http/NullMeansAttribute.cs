using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;

namespace CbaMail.Http;

/// <summary>Of a field of a change: what null stands for, in JSON. Where this is not said, null leaves the thing as it is.</summary>
[AttributeUsage(AttributeTargets.Property)]
sealed class NullMeansAttribute(string json) : Attribute
{
    static readonly ConcurrentDictionary<Type, IReadOnlyDictionary<string, string>> known = new();

    public string Json => json;

    /// <summary>By the names of the fields, in any case.</summary>
    public static IReadOnlyDictionary<string, string> Of(Type type) => known.GetOrAdd(type, static type => type.GetProperties()
        .Select(property => (Name: JsonNamingPolicy.CamelCase.ConvertName(property.Name), Means: property.GetCustomAttribute<NullMeansAttribute>()?.Json))
        .Where(one => one.Means is not null).ToDictionary(one => one.Name, one => one.Means!, StringComparer.OrdinalIgnoreCase));
}
