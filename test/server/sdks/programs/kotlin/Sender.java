import com.segment.analytics.kotlin.core.Analytics;
import com.segment.analytics.kotlin.core.BaseEvent;
import com.segment.analytics.kotlin.core.Configuration;
import com.segment.analytics.kotlin.core.Settings;
import com.segment.analytics.kotlin.core.Telemetry;
import com.segment.analytics.kotlin.core.compat.Builders;
import com.segment.analytics.kotlin.core.compat.ConfigurationBuilder;
import com.segment.analytics.kotlin.core.platform.policies.CountBasedFlushPolicy;
import com.segment.analytics.kotlin.core.platform.policies.FlushPolicy;
import com.segment.analytics.kotlin.core.utilities.InMemoryStorageProvider;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import kotlin.Unit;
import kotlinx.serialization.json.JsonObject;

/** Does with the Kotlin SDK what it reads, line by line: see ../README.md. */
public class Sender {
  private static final String TEXT = "Größe 日本 😀 \u2028 </script> \"quoted\"";

  private final Stored stored = new Stored();
  private final Analytics analytics;
  private int sent = 0;

  private Sender(String url, String writeKey) {
    String host = URI.create(url).getAuthority() + "/v1";
    Configuration configuration = new ConfigurationBuilder(writeKey).build();
    configuration.setApplication("sender");
    configuration.setApiHost(host);
    configuration.setCdnHost(host);
    configuration.setDefaultSettings(settings(writeKey, host));
    configuration.setFlushPolicies(List.of(new CountBasedFlushPolicy(20), stored));
    // Files would be in /tmp, by write key, and a later run would send what they hold.
    configuration.setStorageProvider(new InMemoryStorageProvider());
    configuration.setErrorHandler(
        error -> {
          System.out.println("error: " + String.valueOf(error.getMessage()).replace('\n', ' '));
          return Unit.INSTANCE;
        });
    analytics = new Analytics(configuration);
  }

  /** Without these, events go to Segment's own host as long as settings were never loaded, whatever `apiHost` says. */
  private static Settings settings(String writeKey, String host) {
    JsonObject none = object(it -> {});
    JsonObject integrations =
        object(all -> all.putJsonObject("Segment.io", it -> it.put("apiKey", writeKey).put("apiHost", host)));
    return new Settings(integrations, none, none, none, none, none, none);
  }

  public static void main(String[] args) {
    // It would go to Segment's own host until settings are loaded, and no test may.
    Telemetry.INSTANCE.setEnable(false);
    int status = 0;
    try {
      Sender sender = new Sender(args[0], args[1]);
      BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) sender.read(line);
      sender.analytics.shutdown(true);
    } catch (Exception error) {
      error.printStackTrace();
      status = 1;
    }
    // Threads of the SDK would go on.
    System.exit(status);
  }

  private void read(String line) throws InterruptedException {
    if (line.equals("values")) {
      values();
    } else if (line.startsWith("track ")) {
      analytics.track(line.substring(6), object(it -> {}), null);
      sent += 1;
    } else if (line.equals("flush")) {
      // An event is stored some time after `track` returns, and `flush` sends what is stored.
      stored.await(sent);
      sent = 0;
      analytics.flush();
    } else {
      throw new IllegalArgumentException("Unknown line: " + line);
    }
  }

  private void values() {
    analytics.track("Numbers", numbers(), null);
    analytics.track(TEXT, object(it -> it.put("text", TEXT)), Sender::enrich);
    analytics.identify("u1", numbers(), null);
    analytics.group("g1", object(it -> it.put("employees", 1.2345678E7)), null);
    analytics.screen("Main", object(it -> it.putJsonArray("nested", all -> all.add(numbers()))), "c", null);
    analytics.alias("u2", null);
    sent += 6;
  }

  private static BaseEvent enrich(BaseEvent event) {
    event.setMessageId("kotlin-old-1");
    event.setTimestamp("2025-03-30T01:30:00.123Z");
    event.setContext(
        object(
            it -> {
              event.getContext().forEach(it::put);
              it.put("ip", "203.0.113.77").put("tenant", 1541815603606036480L);
            }));
    event.setIntegrations(object(it -> it.put("Mixpanel", true)));
    return event;
  }

  private static JsonObject numbers() {
    return object(
        it ->
            it.put("snowflake", 1541815603606036480L)
                .put("aboveSafe", 9007199254740993L)
                .put("maxLong", Long.MAX_VALUE)
                .put("maxUnsigned", new BigInteger("18446744073709551615"))
                .put("tenMillions", 1.2345678E7)
                .put("small", 1e-7)
                .put("large", 1e21)
                .put("negativeZero", -0.0)
                .put("third", 1.0 / 3)
                .put("float", 0.1f)
                .put("decimal", new BigDecimal("12345678901234567890.123456789")));
  }

  private static JsonObject object(Consumer<Builders.JsonObjectBuilder> fill) {
    return Builders.buildJsonObject(fill);
  }

  /** Counts the events that are stored. Asks for no flush of its own. */
  private static final class Stored implements FlushPolicy {
    private final Semaphore events = new Semaphore(0);

    void await(int count) throws InterruptedException {
      events.acquire(count);
    }

    @Override
    public void updateState(BaseEvent event) {
      events.release();
    }

    @Override
    public boolean shouldFlush() {
      return false;
    }

    @Override
    public void reset() {}

    @Override
    public void schedule(Analytics analytics) {}

    @Override
    public void unschedule() {}
  }
}
